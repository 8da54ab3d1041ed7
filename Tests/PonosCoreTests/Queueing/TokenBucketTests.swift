import PonosCore
import Testing

@Suite("Token bucket")
struct TokenBucketTests {
  @Test("a burst at once, then the rate, to the millisecond")
  func burstAtOnce() {
    var bucket = TokenBucket(RateLimit(perSecond: 10, burst: 3))
    for _ in 1...3 { #expect(bucket.take(at: 5000) == true) }
    #expect(bucket.take(at: 5000) == false)
    #expect(bucket.wait(at: 5000) == .milliseconds(100))
    #expect(bucket.wait(at: 5060) == .milliseconds(40))
    #expect(bucket.take(at: 5099) == false)
    #expect(bucket.wait(at: 5100) == .zero)
    #expect(bucket.take(at: 5100) == true)
    #expect(bucket.take(at: 5100) == false)
  }

  @Test("a long pause fills it to the burst and no further; looking takes nothing")
  func longPauseFillsItToBurstAndNoFurther() {
    var bucket = TokenBucket(RateLimit(perSecond: 1000, burst: 2))
    for _ in 1...2 { #expect(bucket.take(at: 0) == true) }
    for _ in 1...10 { #expect(bucket.wait(at: 1_000_000) == .zero) }
    #expect(bucket.take(at: 1_000_000) == true)
    #expect(bucket.take(at: 1_000_000) == true)
    #expect(bucket.take(at: 1_000_000) == false)
  }

  @Test("what a refusal says to wait is enough, and no more than needed", arguments: [0.003, 0.7, 3, 333.3, 40_000])
  func whatRefusalSaysToWaitIsEnough(rate: Double) {
    var bucket = TokenBucket(RateLimit(perSecond: rate, burst: 1))
    var now: Int64 = 17
    for _ in 0..<200 {
      while bucket.take(at: now) {}
      let (seconds, attoseconds) = bucket.wait(at: now).components
      let wait = seconds * 1000 + attoseconds / 1_000_000_000_000_000
      #expect(wait >= 1)
      #expect(bucket.wait(at: now + wait - 1) > .zero)
      #expect(bucket.wait(at: now + wait) == .zero)
      now += wait
    }
  }

  @Test("never lets more through than burst and rate allow, nor less when asked all the time", arguments: SeededGenerator.seeds)
  func neverLetsMoreThroughThanBurstAndRateAllow(seed: UInt64) {
    var dice = SeededGenerator(seed: seed)
    let limit = RateLimit(
      perSecond: Double(Int.random(in: 1...500, using: &dice)) / 10, burst: Int.random(in: 2...20, using: &dice))
    var bucket = TokenBucket(limit)
    var (taken, now) = (0, Int64.random(in: 0...1_000_000, using: &dice))
    let start = now
    for _ in 0..<5000 {
      now += Int64.random(in: 0...3, using: &dice)
      while bucket.take(at: now) { taken += 1 }
    }
    let allowed = Double(limit.burst) + limit.perSecond * Double(now - start) / 1000
    #expect(Double(taken) <= allowed + 1e-3)
    // Less than one token is left over, and what came in the first step, into a full bucket.
    #expect(Double(taken) > allowed - 1 - limit.perSecond * 0.003 - 1e-3)
  }

  @Test("rates and bursts beyond all measure are lived with")
  func ratesAndBurstsBeyondAllMeasureAreLivedWith() {
    for (rate, burst) in [(1e-30, Int.max), (1e30, .max), (1e-30, 1)] {
      let limit = RateLimit(perSecond: rate, burst: burst)
      var bucket = TokenBucket(limit)
      #expect(bucket.take(at: 0) == true)
      let isTaken = bucket.take(at: Int64(1e12))
      #expect(isTaken || bucket.wait(at: Int64(1e12)) > .zero)
    }
  }
}
