/// Tells a performer that hangs from one that is only slow, by how the runs of its tasks end.
///
/// Several runs in a row without an answer make it hang, even if its health service says that it serves. A run that was given
/// less time than the performer has needed before, or hardly any, says nothing: it waited too long in the queue.
package struct HangDetector: Sendable, Equatable {
  /// A run given less than this says nothing when it ends without an answer.
  package static let leastTime = Duration.seconds(1)

  /// Runs in a row without an answer that make a performer hang, at least 1.
  package let threshold: Int
  /// Runs without an answer since the last answer.
  package private(set) var silentRuns = 0
  private var slowestReply = Duration.zero

  package init(threshold: Int) {
    self.threshold = max(1, threshold)
  }

  /// The performer answered a run, with a result or an error.
  package mutating func replied(after time: Duration) {
    silentRuns = 0
    slowestReply = max(slowestReply, time)
  }

  /// A run that was given `time` ended without an answer. Returns whether the performer hangs.
  package mutating func timedOut(after time: Duration) -> Bool {
    guard time >= max(Self.leastTime, slowestReply) else { return false }
    silentRuns += 1
    return silentRuns >= threshold
  }
}
