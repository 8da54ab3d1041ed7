import PonosCore
import Testing

/// The decisions about runs of a task, over random histories on virtual time: an adversary chooses how long each run takes and how it
/// ends, where it runs and when its container is lost.
@Suite("Random histories of runs")
struct RunHistoryTests {
  private static let policy = RetryPolicy()

  /// What a history came to.
  private struct End {
    var failure: TaskFailure?
    var now = Duration.zero
    var runs = 0
    var pauses: [Duration] = []
    var lostContainers = 0
  }

  private static func failure(_ random: inout SeededGenerator) -> TaskFailure? {
    switch Int.random(in: 0..<12, using: &random) {
    case 0: nil
    case 1: .performerError(code: 3, message: "no")
    case 2: .wrongTaskID
    case 3: .outputInvalid(.notJSON(offset: 0))
    case 4...6: .performerBusy("busy", retryAfter: nil)
    case 7: .performerBusy("busy", retryAfter: .milliseconds(Int.random(in: 0...60_000, using: &random)))
    case 8: .journalUnavailable("full")
    default: .performerUnreachable("gone")
    }
  }

  /// Lives a task of `timeout` through to its end, as the pipeline does with these decisions.
  private static func live(_ timeout: Duration, _ random: inout SeededGenerator) -> End {
    var end = End()
    while true {
      guard end.now < timeout else {
        end.failure = .expired
        return end
      }
      if policy.isAtFault(lostContainers: end.lostContainers) {
        end.failure = .performerCrashed(containers: end.lostContainers)
        return end
      }
      end.runs += 1
      let wanted = Duration.milliseconds(Int.random(in: 0...20_000, using: &random) / Int.random(in: 1...50, using: &random))
      let isLate = end.now + wanted >= timeout
      end.now = min(end.now + wanted, timeout)
      end.failure = isLate ? .timedOut : failure(&random)
      guard let failure = end.failure else { return end }
      guard let pause = policy.delay(after: failure, attempt: end.runs, remaining: timeout - end.now) else { return end }
      if case .performerUnreachable = failure, Bool.random(using: &random) { end.lostContainers += 1 }
      if let asked = failure.retryAfter { #expect(pause >= asked) }
      end.pauses.append(pause)
      end.now += pause
    }
  }

  @Test("every task ends once and in time; a definite answer ends it; pauses are kept", arguments: SeededGenerator.seeds)
  func everyTaskEndsOnceAndInTime(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var (ends, longest) = ([String: Int](), 0)
    for _ in 0..<2000 {
      let timeout = Duration.milliseconds(Int.random(in: 100...120_000, using: &random))
      let end = Self.live(timeout, &random)
      #expect(end.now <= timeout, "seed \(seed)")
      #expect(
        end.pauses.count == end.runs - 1 || end.failure == .expired || end.failure?.code == "performer_crashed", "seed \(seed)")
      #expect(end.pauses.allSatisfy { $0 >= Self.policy.firstDelay }, "seed \(seed): it would spin")
      #expect(end.lostContainers <= Self.policy.sharedContainers + 1, "seed \(seed)")
      if let failure = end.failure, failure.isRetryable {
        // Given up only because the pause would not have fitted.
        let backoff = min(Self.policy.firstDelay * (1 << min(end.runs - 1, 16)), Self.policy.maxDelay)
        #expect(max(backoff, failure.retryAfter ?? .zero) >= timeout - end.now, "seed \(seed)")
      }
      ends[end.failure?.code ?? "answered", default: 0] += 1
      longest = max(longest, end.runs)
    }
    // The histories are worth something: every kind of end occurs, and long ones do.
    #expect(
      Set(ends.keys).isSuperset(of: ["answered", "performer_error", "performer_busy", "performer_crashed", "task_timed_out"]))
    #expect(longest >= 8)
  }
}
