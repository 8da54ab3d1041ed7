import PonosCore
import Testing

@Suite("Urgency of a task")
struct TaskUrgencyTests {
  @Test(
    "the nearer end counts: the AVS's time or the sender's deadline",
    arguments: [
      (nil, 90_000), (1_000_000, 90_000), (50_000, 40_000), (10_001, 1), (10_000, 0), (9_000, -1000), (Int64.max, 90_000),
    ] as [(Int64?, Int64)])
  func nearerEndCounts(deadline: Int64?, expected: Int64) {
    let urgency = TaskUrgency(deadline: deadline)
    #expect(urgency.timeLeft(at: 10_000, timeout: .seconds(90)) == .milliseconds(expected))
  }

  @Test("deadlines beyond all measure are lived with")
  func deadlinesBeyondAllMeasureAreLivedWith() {
    #expect(TaskUrgency(deadline: .min).timeLeft(at: 10_000, timeout: .seconds(90)) <= .zero)
    #expect(TaskUrgency(deadline: .max).timeLeft(at: -10_000, timeout: .seconds(90)) == .seconds(90))
  }
}
