import PonosCore
import Testing

@Suite("Circuit breaker")
struct CircuitBreakerTests {
  typealias Settings = CircuitBreaker.Settings

  /// Lets a run through and ends it; nil when it is not let through, else whether that opened the breaker.
  private func run(_ breaker: inout CircuitBreaker, _ outcome: RunOutcome, at now: Int64 = 0) -> Bool? {
    breaker.admit(at: now).map { breaker.record(outcome, of: $0, at: now) }
  }

  private func admitted(_ breaker: inout CircuitBreaker, at now: Int64) throws -> CircuitBreaker.Permit {
    let permit = breaker.admit(at: now)
    return try #require(permit)
  }

  @Test("opens after failures in a row, and not for failures with answers between them")
  func opensAfterFailuresInRow() {
    var breaker = CircuitBreaker(Settings(consecutiveFailures: 3, failureRatio: 1, window: 64))
    for outcome in [RunOutcome.failed, .failed, .answered, .failed, .unjudged, .failed] {
      #expect(run(&breaker, outcome) == false)
      #expect(breaker.state(at: 0) == .closed)
    }
    #expect(run(&breaker, .failed) == true)
    #expect(breaker.state(at: 0) == .open)
    #expect(run(&breaker, .answered) == nil)
  }

  @Test("opens when too large a share of the last runs failed, once there are enough of them", arguments: [10, 63, 64])
  func opensWhenTooLargeShareOfLastRunsFailed(window: Int) {
    var breaker = CircuitBreaker(Settings(consecutiveFailures: 1000, failureRatio: 0.5, window: window))
    for index in 1...window * 3 { #expect(run(&breaker, index.isMultiple(of: 3) ? .failed : .answered) == false) }
    var opened = false
    for index in 1...window where !opened { opened = run(&breaker, index.isMultiple(of: 4) ? .answered : .failed) == true }
    #expect(opened)
    breaker = CircuitBreaker(Settings(consecutiveFailures: 1000, failureRatio: 0.5, window: window))
    for _ in 1..<window { #expect(run(&breaker, .failed) == false, "too few runs to judge by") }
    #expect(run(&breaker, .failed) == true)
  }

  @Test("is open for its time, then lets as many probes through as it says, and closes when all succeed")
  func isOpenForItsTime() throws {
    var breaker = CircuitBreaker(Settings(consecutiveFailures: 1, openTime: .seconds(10), probes: 2))
    #expect(run(&breaker, .failed, at: 500) == true)
    #expect(breaker.openFor(at: 600) == .milliseconds(9900))
    #expect(breaker.admit(at: 10_499) == nil)
    #expect(breaker.state(at: 10_500) == .halfOpen)
    #expect(breaker.openFor(at: 10_500) == .zero)
    let first = try admitted(&breaker, at: 10_500)
    let second = try admitted(&breaker, at: 10_600)
    #expect(breaker.admit(at: 10_700) == nil)
    #expect(breaker.record(.answered, of: first, at: 10_800) == false)
    #expect(breaker.admit(at: 10_900) == nil, "one of two has succeeded and the other one is out")
    #expect(breaker.state(at: 10_900) == .halfOpen)
    #expect(breaker.record(.answered, of: second, at: 11_000) == false)
    #expect(breaker.state(at: 11_000) == .closed)
    for _ in 0..<10 { #expect(breaker.admit(at: 11_000) != nil) }
  }

  @Test("a probe that fails opens it again for its whole time; one that says nothing is repeated")
  func probeThatFailsOpensItAgainForItsWholeTime() throws {
    var breaker = CircuitBreaker(Settings(consecutiveFailures: 1, openTime: .seconds(1)))
    #expect(run(&breaker, .failed, at: 0) == true)
    #expect(run(&breaker, .unjudged, at: 1000) == false)
    #expect(breaker.state(at: 1000) == .halfOpen)
    #expect(run(&breaker, .failed, at: 1500) == true)
    #expect(breaker.admit(at: 2499) == nil)
    #expect(run(&breaker, .answered, at: 2500) == false)
    #expect(breaker.state(at: 2500) == .closed)
  }

  @Test("runs let through before it opened say nothing about afterwards")
  func runsLetThroughBeforeItOpenedSayNothing() throws {
    var breaker = CircuitBreaker(Settings(consecutiveFailures: 1, openTime: .seconds(1)))
    let early = try (1...3).map { _ in try admitted(&breaker, at: 0) }
    #expect(breaker.record(.failed, of: early[0], at: 10) == true)
    #expect(breaker.record(.failed, of: early[1], at: 900) == false, "it is open already, and not for longer")
    let probe = try admitted(&breaker, at: 1010)
    #expect(breaker.record(.answered, of: early[2], at: 1020) == false)
    #expect(breaker.state(at: 1020) == .halfOpen)
    #expect(breaker.record(.answered, of: probe, at: 1030) == false)
    #expect(breaker.state(at: 1030) == .closed)
  }

  @Test("timeouts count from the fair time on; without thresholds nothing does")
  func timeoutsCountFromFairTimeOn() {
    var breaker = CircuitBreaker(Settings(consecutiveFailures: 1, fairTime: .seconds(5)))
    #expect(run(&breaker, .timedOut(after: .milliseconds(4999))) == false)
    #expect(run(&breaker, .timedOut(after: .seconds(5))) == true)
    breaker = CircuitBreaker(Settings(consecutiveFailures: nil))
    for _ in 0..<100 { #expect(run(&breaker, .failed) == false) }
  }

  @Test("a definite answer speaks for the performer, however little the aggregator likes it")
  func definiteAnswerSpeaksForPerformer() {
    let duration = Duration.seconds(3)
    #expect(RunOutcome(.performerError(code: 3, message: ""), after: duration) == .answered)
    #expect(RunOutcome(.outputTooLarge(limit: 1), after: duration) == .answered)
    #expect(RunOutcome(.performerUnreachable(""), after: duration) == .failed)
    #expect(RunOutcome(.wrongTaskID, after: duration) == .failed)
    #expect(RunOutcome(.timedOut, after: duration) == .timedOut(after: duration))
    for failure in [TaskFailure.expired, .journalUnavailable(""), .displaced(.rejectNewest), .signingFailed("")] {
      #expect(RunOutcome(failure, after: duration) == .unjudged)
    }
  }
}
