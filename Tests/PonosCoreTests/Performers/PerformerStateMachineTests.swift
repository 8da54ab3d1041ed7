import PonosCore
import Testing

@Suite("Performer state machine")
struct PerformerStateMachineTests {
  let start = ContinuousClock.now

  @Test("walks a deployment to service and out of it")
  func walksDeploymentToServiceAndOutOfIt() {
    var machine = deploying()
    #expect(machine.state == .initializing)
    expect(&machine, .pulling, .none, .pulling)
    expect(&machine, .starting, .none, .starting)
    expect(&machine, .serving, .publish, .running)
    #expect(machine.isHealthy)
    expect(&machine, .retiring, .retire, .stopping)
    expect(&machine, .retired, .none, .stopped)
    expect(&machine, .serving, .none, .stopped)
    expect(&machine, .retiring, .none, .stopped)
  }

  @Test("lets a first deployment fail without another attempt", arguments: [0, 1, 2])
  func letsFirstDeploymentFailWithoutAnotherAttempt(steps: Int) {
    var machine = deploying()
    for event in [PerformerStateMachine.Event.pulling, .starting].prefix(steps) { _ = machine.handle(event, at: start) }
    expect(&machine, .startFailed("no such image"), .none, .failed)
    #expect(machine.lastError == "no such image")
  }

  @Test("replaces an ended container, at growing delays, and shows failure once patience is over")
  func replacesEndedContainer() {
    var machine = PerformerStateMachine(adopting: .standard, policy: .standard)
    var delays: [Duration] = []
    for round in 1...9 {
      let event: PerformerStateMachine.Event = round == 1 ? .ended("exit code 1") : .startFailed("exit code 1")
      guard case .recreate(let delay) = machine.handle(event, at: start) else { return #expect(Bool(false)) }
      delays.append(delay)
      #expect(machine.state == (round <= 5 ? .restarting : .failed))
    }
    #expect(delays == [0.5, 1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
    expect(&machine, .serving, .publish, .running)
  }

  @Test("does not hold an outage of the engine against the performer: tries again soon, as if nothing had happened")
  func doesNotHoldOutageOfEngineAgainstPerformer() {
    var adopting = PerformerStateMachine(adopting: .standard, policy: .standard)
    var restoring = PerformerStateMachine(restoring: .standard, policy: .standard)
    for delay in [200, 400, 800, 1600, 3200, 5000, 5000] {
      expect(&adopting, .engineUnavailable("down"), .tryAgain(after: .milliseconds(delay)), .starting)
      expect(&restoring, .engineUnavailable("down"), .tryAgain(after: .milliseconds(delay)), .restarting)
    }
    #expect(adopting.lastError == "down")
    expect(&restoring, .startFailed("exit code 1"), .recreate(after: .milliseconds(500)), .restarting)
    expect(&restoring, .engineUnavailable("down again"), .tryAgain(after: .milliseconds(200)), .restarting)
    expect(&adopting, .serving, .publish, .running)
    expect(&adopting, .engineUnavailable("down"), .none, .running)
    var deploying = deploying()
    _ = deploying.handle(.starting, at: start)
    expect(&deploying, .engineUnavailable("down"), .none, .failed)
  }

  @Test("forgets failures after a healthy period, and not before")
  func forgetsFailuresAfterHealthyPeriod() {
    var machine = PerformerStateMachine(restoring: .standard, policy: .standard)
    _ = machine.handle(.startFailed("x"), at: start)
    _ = machine.handle(.startFailed("x"), at: start)
    _ = machine.handle(.serving, at: start)
    _ = machine.handle(.probed(isServing: true, detail: ""), at: start + .seconds(59))
    var early = machine
    #expect(early.handle(.ended("x"), at: start + .seconds(59)) == .recreate(after: .seconds(2)))
    _ = machine.handle(.probed(isServing: true, detail: ""), at: start + .seconds(60))
    #expect(machine.lastError == nil)
    #expect(machine.handle(.ended("x"), at: start + .seconds(61)) == .recreate(after: .milliseconds(500)))
  }

  @Test("replaces a container after three bad probes in a row, not after two and a good one")
  func replacesContainerAfterThreeBadProbesInRow() {
    var machine = PerformerStateMachine(adopting: .standard, policy: .standard)
    _ = machine.handle(.serving, at: start)
    for isServing in [false, false, true, false, false] {
      expect(&machine, .probed(isServing: isServing, detail: "NOT_SERVING"), .none, .running)
    }
    expect(&machine, .probed(isServing: false, detail: "NOT_SERVING"), .recreate(after: .milliseconds(500)), .restarting)
    #expect(machine.lastError?.contains("NOT_SERVING") == true)
    expect(&machine, .probed(isServing: false, detail: "late"), .none, .restarting)
    expect(&machine, .ended("late"), .none, .restarting)
  }

  @Test("replaces a container whose tasks hang, and hears nothing of hanging before it serves")
  func replacesContainerWhoseTasksHang() {
    var machine = PerformerStateMachine(adopting: .standard, policy: .standard)
    expect(&machine, .hung("early"), .none, .starting)
    _ = machine.handle(.serving, at: start)
    expect(&machine, .hung("3 tasks in a row"), .recreate(after: .milliseconds(500)), .restarting)
    #expect(machine.lastError == "3 tasks in a row")
    expect(&machine, .hung("late"), .none, .restarting)
  }

  @Test("keeps its promises over random histories")
  func keepsItsPromisesOverRandomHistories() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      var machine =
        [
          deploying(), PerformerStateMachine(adopting: .standard, policy: .standard),
          PerformerStateMachine(restoring: .standard, policy: .standard),
        ].randomElement(using: &random)!
      var now = start
      var isRetiring = false
      for _ in 0..<40 {
        let event = Self.events.randomElement(using: &random)!
        now += .seconds(Int.random(in: 0...40, using: &random))
        let before = machine
        let action = machine.handle(event, at: now)
        check(before, event, action, machine, isRetiring: isRetiring)
        if event == .retiring { isRetiring = true }
      }
    }
  }

  /// What `PerformerState` says under each of its cases, but for `executing`.
  private static let transitions: [PerformerState: Set<PerformerState>] = [
    .initializing: [.pulling, .starting, .failed, .stopping], .pulling: [.starting, .failed, .stopping],
    .starting: [.running, .restarting, .failed, .stopping], .running: [.restarting, .failed, .stopping], .stopping: [.stopped],
    .stopped: [], .failed: [.running, .stopping], .restarting: [.running, .failed, .stopping],
  ]

  @Test("makes every transition that its states document, and no other")
  func makesEveryTransitionThatItsStatesDocument() {
    var random = SeededGenerator(seed: 1)
    var seen = Self.transitions.mapValues { _ in Set<PerformerState>() }
    for history in 0..<3000 {
      var machine = [
        deploying(), PerformerStateMachine(adopting: .standard, policy: .standard),
        PerformerStateMachine(restoring: .standard, policy: .standard),
      ][history % 3]
      for _ in 0..<40 {
        let before = machine.state
        _ = machine.handle(Self.events.randomElement(using: &random)!, at: start)
        if machine.state != before { seen[before, default: []].insert(machine.state) }
      }
    }
    #expect(seen == Self.transitions)
  }

  private static let events: [PerformerStateMachine.Event] = [
    .pulling, .starting, .serving, .serving, .probed(isServing: true, detail: ""), .probed(isServing: false, detail: "x"),
    .probed(isServing: false, detail: "y"), .hung("h"), .ended("e"), .startFailed("s"), .engineUnavailable("u"), .retiring,
    .retired,
  ]

  private func check(
    _ before: PerformerStateMachine, _ event: PerformerStateMachine.Event, _ action: PerformerStateMachine.Action,
    _ after: PerformerStateMachine, isRetiring: Bool
  ) {
    switch action {
    case .none:
      #expect(!(before.state == .running && after.state != .running), "left service without a word: \(event)")
    case .publish:
      #expect(after.state == .running && after.isHealthy && before.state != .running)
    case .recreate(let delay):
      #expect((.milliseconds(500)...(.seconds(30))).contains(delay))
      #expect([.restarting, .failed].contains(after.state))
      #expect(after.lastError != nil)
    case .tryAgain(let delay):
      #expect((.milliseconds(200)...(.seconds(5))).contains(delay))
      #expect(event == .engineUnavailable("u") && after.state == before.state && after.lastError == "u")
    case .retire:
      #expect(event == .retiring && after.state == .stopping && !isRetiring)
    }
    if isRetiring { #expect(action == .none && [.stopping, .stopped].contains(after.state)) }
    if before.state == .stopped { #expect(after == before) }
    #expect(after.state != .executing)
  }

  private func deploying() -> PerformerStateMachine { PerformerStateMachine(deploying: .standard, policy: .standard) }

  private func expect(
    _ machine: inout PerformerStateMachine, _ event: PerformerStateMachine.Event, _ action: PerformerStateMachine.Action,
    _ state: PerformerState, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(machine.handle(event, at: start) == action, sourceLocation: sourceLocation)
    #expect(machine.state == state, sourceLocation: sourceLocation)
  }
}
