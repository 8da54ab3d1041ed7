import PonosContainers
import PonosCore

/// A probe that answers as a test says.
package struct FakeProbe: Probe {
  private let answer: @Sendable (_ timeout: Duration) async -> ProbeResult

  package init(_ answer: @escaping @Sendable (_ timeout: Duration) async -> ProbeResult) {
    self.answer = answer
  }

  /// Says that the performer serves.
  package static let serving = FakeProbe { _ in .serving }

  package func check(timeout: Duration) async -> ProbeResult { await answer(timeout) }
}
