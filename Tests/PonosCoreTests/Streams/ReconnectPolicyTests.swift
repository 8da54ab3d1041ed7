import PonosCore
import Testing

@Suite struct ReconnectPolicyTests {
  private let policy = ReconnectPolicy(initial: .milliseconds(100), maximum: .seconds(3))

  @Test func pausesDoubleUpToTheLongest() {
    #expect(
      (1...7).map { policy.pause(failures: $0, chance: 1) } == [100, 200, 400, 800, 1600, 3000, 3000].map { .milliseconds($0) })
    #expect(policy.pause(failures: 1000, chance: 1) == .seconds(3))
    #expect(policy.pause(failures: 0, chance: 1) == .milliseconds(100))
  }

  @Test func jitterTakesUpToHalf() {
    #expect(policy.pause(failures: 2, chance: 0) == .milliseconds(100))
    for failures in 1...10 {
      let pauses = (0..<100).map { policy.pause(failures: failures, chance: Double($0) / 100) }
      #expect(Set(pauses).count == 100)
      #expect(pauses.allSatisfy { $0 >= policy.pause(failures: failures, chance: 1) / 2 })
    }
  }

  @Test func onlyASessionThatLastsIsASuccess() {
    #expect(policy.failures(before: 0, sessionLasted: nil) == 1)
    #expect(policy.failures(before: 4, sessionLasted: nil) == 5)
    #expect(policy.failures(before: 4, sessionLasted: .seconds(2)) == 5)
    #expect(policy.failures(before: 4, sessionLasted: .seconds(3)) == 1)
  }

  @Test func aPeersWishCountsWithinReason() {
    #expect(policy.pause(failures: 1, asked: .seconds(2), chance: 0) == .seconds(2))
    #expect(policy.pause(failures: 1, asked: .seconds(3600), chance: 0) == .seconds(3600))
    #expect(policy.pause(failures: 1, asked: .seconds(7200), chance: 0) == .seconds(3600))
    #expect(policy.pause(failures: 7, asked: .milliseconds(1), chance: 0) == .milliseconds(1500))
  }
}
