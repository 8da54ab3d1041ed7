import NIOCore
import Testing

@testable import PonosTransport

@Suite("Calls that stand still")
struct CallProgressTests {
  private static let limits = CallProgress.Limits(request: 4, response: 4)

  /// The tick at which a call is found to stand still, if each tick finds what `state` says.
  private static func stalled(
    _ progress: CallProgress, state: (Int) -> (waiting: Int, taken: Int, isHeldUp: Bool)
  ) -> (tick: Int, stall: CallProgress.Stall)? {
    var progress = progress
    for tick in 1...20 {
      let (waiting, taken, isHeldUp) = state(tick)
      if let stall = progress.stall(at: tick, waiting: waiting, taken: taken, isHeldUp: isHeldUp) { return (tick, stall) }
    }
    return nil
  }

  @Test("what is incomplete is found after its limit, unless the connection itself holds it up")
  func whatIsIncompleteIsFoundAfterItsLimit() {
    var progress = CallProgress(limits: Self.limits)
    progress.note(isIncomplete: true, at: 0)
    let found = Self.stalled(progress) { _ in (0, 0, false) }
    #expect(found?.tick == 5 && found?.stall == .request)
    let heldUp = Self.stalled(progress) { (0, 0, $0 <= 3) }
    #expect(heldUp?.tick == 8)
    progress.note(isIncomplete: false, at: 3)
    #expect(Self.stalled(progress) { _ in (0, 0, false) } == nil)
  }

  @Test("more of the same message is no progress, the next message is")
  func moreOfTheSameMessageIsNoProgress() {
    var progress = CallProgress(limits: Self.limits)
    progress.note(isIncomplete: true, at: 0)
    progress.note(isIncomplete: true, at: 3)
    let same = progress.stall(at: 5, waiting: 0, taken: 0, isHeldUp: false)
    progress.note(isIncomplete: true, isNext: true, at: 5)
    let next = progress.stall(at: 6, waiting: 0, taken: 0, isHeldUp: false)
    #expect(same == .request && next == nil)
  }

  @Test("a response of which nothing is taken is found, one that moves is not")
  func responseOfWhichNothingIsTakenIsFound() {
    let progress = CallProgress(limits: Self.limits)
    let stuck = Self.stalled(progress) { _ in (100, 7, false) }
    #expect(stuck?.tick == 5 && stuck?.stall == .response)
    #expect(Self.stalled(progress) { (100, $0 / 4, false) } == nil)
    let stops = Self.stalled(progress) { (100, min($0, 6), false) }
    #expect(stops?.tick == 10)
    #expect(Self.stalled(progress) { _ in (0, 7, false) } == nil)
  }
}
