import Synchronization

/// Gives tasks their places in the order of acceptances. A number that came to nothing is not given again.
final class SequenceNumbers: Sendable {
  private let last: Atomic<Int64>

  init(after last: Int64) { self.last = Atomic(last) }

  func next() -> Int64 { last.add(1, ordering: .relaxed).newValue }
}
