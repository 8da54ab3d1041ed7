import Testing

@testable import PonosChain

@Suite("A race between endpoints")
struct RaceTests {
  private static func error(_ code: ChainError.Code) -> ChainError { ChainError(code, endpoint: "e", call: "c") }

  @Test("asks the best one, and the next when that fails or is late")
  func order() {
    var race = Race<Int>(candidates: [2, 0, 1], needed: 1)
    #expect(race.start() == [.ask(2)])
    #expect(race.isLate() == [.ask(0)])
    #expect(race.failed(2, Self.error(.timedOut)) == [.ask(1)])
    #expect(race.isLate() == [])
    #expect(race.answered(1, 7) == [.finish(7)])
    #expect(race.outstanding == [0])
  }

  @Test("fails with what says most, once nobody is left")
  func failure() {
    var race = Race<Int>(candidates: [0, 1], needed: 1)
    _ = race.start()
    #expect(race.failed(0, Self.error(.statePruned)) == [.ask(1)])
    #expect(race.failed(1, Self.error(.unreachable)) == [.fail(Self.error(.statePruned))])
    var empty = Race<Int>(candidates: [], needed: 1)
    guard case .fail(let error)? = empty.start().first else { return #expect(Bool(false), "nobody can answer") }
    #expect(error.code == .noEndpoint)
  }

  @Test("with an agreement counts only what enough of them say")
  func agreement() {
    var race = Race<Int>(candidates: [0, 1, 2], needed: 2)
    #expect(race.start() == [.ask(0), .ask(1)])
    #expect(race.answered(0, 5) == [])
    #expect(race.answered(1, 6) == [.ask(2)])
    #expect(race.answered(2, 6) == [.finish(6)])
    #expect(race.camps == [[0], [1, 2]])
  }

  @Test("refuses when endpoints disagree, or too few answer")
  func disagreement() {
    var race = Race<Int>(candidates: [0, 1], needed: 2)
    _ = race.start()
    _ = race.answered(0, 5)
    guard case .fail(let error)? = race.answered(1, 6).first else { return #expect(Bool(false), "they disagree") }
    #expect(error.code == .disagreement)
    var few = Race<Int>(candidates: [0, 1], needed: 2)
    _ = few.start()
    _ = few.answered(0, 5)
    guard case .fail(let lack)? = few.failed(1, Self.error(.unreachable)).first else { return #expect(Bool(false), "one is down") }
    #expect(lack.code == .tooFewAnswers)
  }

  @Test("takes a doubtful answer only when no other is to be had")
  func doubt() {
    var race = Race<Int>(candidates: [0, 1], needed: 1)
    _ = race.start()
    #expect(race.answered(0, 0, isDoubtful: true) == [.ask(1)])
    #expect(race.answered(1, 9) == [.finish(9)])
    var alone = Race<Int>(candidates: [0, 1], needed: 1)
    _ = alone.start()
    _ = alone.answered(0, 0, isDoubtful: true)
    #expect(alone.answered(1, 0, isDoubtful: true) == [.finish(0)])
  }
}

@Suite("The state of an endpoint")
struct EndpointStateMachineTests {
  private static let start = ContinuousClock.now
  private static func error(_ code: ChainError.Code, retryAfter: Duration? = nil) -> ChainError {
    ChainError(code, endpoint: "e", call: "c", retryAfter: retryAfter)
  }

  @Test("rests after failures for ever longer, and has its chain checked before it serves again")
  func rest() {
    var machine = EndpointStateMachine()
    #expect(machine.phase == .unverified && machine.rank == 0)
    machine.chainVerified()
    machine.failed(Self.error(.timedOut), now: Self.start)
    #expect(machine.phase == .resting(until: Self.start + .seconds(1), because: .timedOut) && machine.rank == 2)
    machine.advance(to: Self.start + .seconds(1))
    #expect(machine.phase == .unverified)
    machine.failed(Self.error(.timedOut), now: Self.start)
    #expect(machine.phase == .resting(until: Self.start + .seconds(2), because: .timedOut))
    for _ in 0..<20 { machine.failed(Self.error(.timedOut), now: Self.start) }
    #expect(machine.phase == .resting(until: Self.start + .seconds(60), because: .timedOut))
    machine.succeeded()
    machine.failed(Self.error(.timedOut), now: Self.start)
    #expect(machine.phase == .resting(until: Self.start + .seconds(1), because: .timedOut))
  }

  @Test("obeys its wish to be left alone")
  func wish() {
    var machine = EndpointStateMachine()
    machine.failed(Self.error(.rateLimited, retryAfter: .seconds(30)), now: Self.start)
    #expect(machine.phase == .resting(until: Self.start + .seconds(30), because: .rateLimited) && machine.rank == nil)
  }

  @Test("is not changed by what is no fault of it")
  func questions() {
    var machine = EndpointStateMachine()
    machine.chainVerified()
    for code in [ChainError.Code.blockUnknown, .statePruned, .cancelled] { machine.failed(Self.error(code), now: Self.start) }
    #expect(machine.phase == .serving)
  }

  @Test("counts answers that come too late")
  func late() {
    var machine = EndpointStateMachine()
    machine.chainVerified()
    for _ in 0..<2 { machine.wasLate(Self.error(.timedOut), now: Self.start) }
    #expect(machine.phase == .serving)
    machine.wasLate(Self.error(.timedOut), now: Self.start)
    #expect(machine.phase != .serving)
  }

  @Test("puts it last while its head lags, and never reads from another chain")
  func lag() throws {
    var machine = EndpointStateMachine()
    machine.chainVerified()
    machine.sawHead(TestBlocks.block(10), best: 12)
    #expect(machine.rank == 0)
    machine.sawHead(TestBlocks.block(11), best: 14)
    #expect(machine.rank == 1 && machine.lag == 3)
    machine.sawHead(TestBlocks.block(14), best: 14)
    #expect(machine.rank == 0)
    machine.foundOnChain(5, error: Self.error(.wrongChain), now: Self.start)
    #expect(machine.rank == nil)
    machine.advance(to: Self.start + .seconds(60))
    #expect(machine.phase == .unverified)
  }
}
