import PonosCore
import Testing

@Suite("Hang detector")
struct HangDetectorTests {
  private func detector(afterReplies replies: [Duration] = []) -> HangDetector {
    var detector = HangDetector(threshold: 3)
    for time in replies { detector.replied(after: time) }
    return detector
  }

  @Test("takes three runs in a row without an answer for a hang, not two and an answer")
  func takesThreeRunsInRowWithoutAnswerForHang() {
    var detector = detector()
    let first = (0..<2).map { _ in detector.timedOut(after: .seconds(90)) }
    #expect(first == [false, false])
    detector.replied(after: .seconds(1))
    let judgements = (0..<4).map { _ in detector.timedOut(after: .seconds(90)) }
    #expect(judgements == [false, false, true, true])
    #expect(detector.silentRuns == 4)
  }

  @Test("learns nothing from runs that got less time than an answered one took, or hardly any")
  func learnsNothingFromRunsThatGotLessTimeThanAnswered() {
    var slow = detector(afterReplies: [.seconds(20), .seconds(5)])
    let early = (0..<10).map { _ in slow.timedOut(after: .seconds(19)) }
    var fresh = detector()
    let short = (0..<10).map { _ in fresh.timedOut(after: .milliseconds(999)) }
    #expect(!early.contains(true) && !short.contains(true))
    let judgements = (0..<3).map { _ in slow.timedOut(after: .seconds(20)) }
    #expect(judgements == [false, false, true])
  }

  @Test("a threshold below one is one")
  func thresholdBelowOneIsOne() {
    var detector = HangDetector(threshold: 0)
    let hangs = detector.timedOut(after: .seconds(1))
    #expect(hangs)
  }
}
