import PonosTesting
import Testing

@testable import PonosExecutor

@Suite("Weighted limit")
struct WeightedLimitTests {
  @Test("whoever waits for room goes on as soon as the work is light enough, and no sooner")
  func room() async throws {
    let limit = WeightedLimit(limit: 3)
    limit.enter(weight: 2)
    await limit.room()
    limit.enter(weight: 2)
    async let waiting: Void = limit.room()
    try await eventually { limit.waitingCount == 1 }
    limit.leave()
    #expect(limit.waitingCount == 1)
    limit.leave()
    await waiting
    #expect(limit.waitingCount == 0 && limit.weight == 2)
  }

  @Test("whoever waits for the end of all work goes on with the end of the last")
  func emptied() async throws {
    let limit = WeightedLimit(limit: 1)
    limit.enter(weight: 2)
    async let waiting: Void = limit.emptied()
    try await eventually { limit.waitingCount == 1 }
    limit.leave()
    #expect(limit.waitingCount == 1)
    limit.leave()
    await waiting
  }

  @Test("a cancelled caller and a cleared limit let go at once, and leave the others waiting")
  func letsGo() async throws {
    let limit = WeightedLimit(limit: 1)
    limit.enter(weight: 5)
    let cancelled = Task { await limit.room() }
    async let other: Void = limit.room()
    try await eventually { limit.waitingCount == 2 }
    cancelled.cancel()
    await cancelled.value
    #expect(limit.waitingCount == 1)
    limit.clear()
    await other
    limit.enter(weight: 1000)
    await limit.room()
    await limit.emptied()
  }
}
