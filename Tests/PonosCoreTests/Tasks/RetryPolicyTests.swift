import PonosCore
import Testing

@Suite("Retry policy")
struct RetryPolicyTests {
  static let policy = RetryPolicy(firstDelay: .milliseconds(100), maxDelay: .seconds(5), sharedContainers: 2)
  static let failure = TaskFailure.performerUnreachable("gone")

  @Test(
    "doubles from the first delay up to the longest",
    arguments: [
      (1, 100), (2, 200), (3, 400), (4, 800), (5, 1600), (6, 3200), (7, 5000), (8, 5000), (20, 5000), (1000, 5000),
      (Int.max, 5000),
    ])
  func doublesFromFirstDelayUpToLongest(attempt: Int, milliseconds: Int) {
    #expect(Self.policy.delay(after: Self.failure, attempt: attempt, remaining: .seconds(90)) == .milliseconds(milliseconds))
  }

  @Test("a run count below one counts as one", arguments: [0, -1])
  func runCountBelowOneCountsAsOne(attempt: Int) {
    #expect(Self.policy.delay(after: Self.failure, attempt: attempt, remaining: .seconds(90)) == .milliseconds(100))
  }

  @Test("never waits past the end of the task's time")
  func neverWaitsPastEndOfTasksTime() {
    #expect(Self.policy.delay(after: Self.failure, attempt: 1, remaining: .milliseconds(101)) == .milliseconds(100))
    #expect(Self.policy.delay(after: Self.failure, attempt: 1, remaining: .milliseconds(100)) == nil)
    #expect(Self.policy.delay(after: Self.failure, attempt: 1, remaining: .zero) == nil)
    #expect(Self.policy.delay(after: Self.failure, attempt: 1, remaining: .seconds(-3)) == nil)
  }

  @Test(
    "keeps the pause a performer asks for, and makes no other run when the task's time ends before that",
    arguments: [
      (nil, 90_000, 100), (.zero, 90_000, 100), (.milliseconds(50), 90_000, 100), (.seconds(7), 90_000, 7000),
      (.seconds(7), 7001, 7000),
      (.seconds(7), 7000, nil), (.seconds(Int64.max / 4), 90_000, nil),
    ] as [(Duration?, Int, Int?)])
  func keepsPausePerformerAsksFor(pause: Duration?, remaining: Int, delay: Int?) {
    let failure = TaskFailure.performerBusy("busy", retryAfter: pause)
    #expect(
      Self.policy.delay(after: failure, attempt: 1, remaining: .milliseconds(remaining)) == delay.map { .milliseconds($0) })
  }

  @Test("tries again exactly after failures that another run may mend", arguments: FailureTable.rows)
  func triesAgainExactlyAfterFailuresThatAnotherRun(row: FailureTable.Row) {
    let delay = Self.policy.delay(after: row.failure, attempt: 1, remaining: .seconds(90))
    #expect((delay != nil) == row.isRetryable)
  }

  @Test("a task that lost containers runs alone, and has failed when it loses that one, too")
  func taskThatLostContainersRunsAlone() {
    #expect((0...3).map { Self.policy.mustRunAlone(lostContainers: $0) } == [false, false, true, true])
    #expect((0...3).map { Self.policy.isAtFault(lostContainers: $0) } == [false, false, false, true])
  }
}
