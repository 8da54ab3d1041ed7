import Testing

@testable import PonosCore

/// Pauses that double up to a limit.
@Suite struct BackoffTests {
  private let backoff = Backoff(first: .milliseconds(100), longest: .seconds(1))

  @Test func pausesDoubleUpToTheLongest() {
    let pauses = (1...6).map { backoff.pause(after: $0) }
    #expect(pauses == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
  }

  @Test(arguments: [Int.min, -1, 0]) func countsBelowOneAreTheFirst(failures: Int) {
    #expect(backoff.pause(after: failures) == .milliseconds(100))
  }

  @Test func aLongOutageDoesNotOverflow() {
    #expect(Backoff(first: .seconds(86400), longest: .seconds(1 << 50)).pause(after: .max) == .seconds(86400 << 30))
    #expect(backoff.pause(after: .max) == .seconds(1))
  }

  @Test func aFirstPauseAboveTheLongestIsCut() {
    #expect(Backoff(first: .seconds(9), longest: .seconds(2)).pause(after: 1) == .seconds(2))
  }

  @Test func chanceTakesAwayHalfAtMost() {
    #expect(backoff.pause(after: 2, chance: 0) == .milliseconds(100))
    #expect(backoff.pause(after: 2, chance: 0.5) == .milliseconds(150))
  }
}
