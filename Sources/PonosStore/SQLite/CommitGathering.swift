/// How many writers a transaction may expect, from how many came together of late.
///
/// A writer that is alone is never made to wait: nobody else wrote while it did, so nobody is expected. Where writers come in numbers, each
/// transaction expects as many as the last one had and found waiting when it ended; when they do not come, fewer are expected at once.
struct CommitGathering {
  /// With fewer than these at a time, waiting would save nothing.
  private static let least = 4

  /// Writers that are expected together.
  private(set) var expected = 0
  private var lastCommit = ContinuousClock.now

  /// A transaction of `writes` has ended, while which `arrivedMeanwhile` others came.
  mutating func committed(_ writes: Int, arrivedMeanwhile: Int, at time: ContinuousClock.Instant) {
    let together = writes + arrivedMeanwhile
    // One that was alone in spite of a wait is no reason for another.
    expected = together <= 1 ? 0 : max(together, expected / 2)
    lastCommit = time
  }

  /// Whether it is worth while to wait: enough writers are expected, and the last were here a few times `wait` ago at most.
  func isExpected(within wait: Duration) -> Bool {
    expected >= Self.least && ContinuousClock.now - lastCommit < wait * 4
  }
}
