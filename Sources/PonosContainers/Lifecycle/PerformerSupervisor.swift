import Logging
import PonosCore
import PonosDocker
import PonosStore
import PonosTelemetry

/// Keeps one performer in service: watches its container and its health, replaces the container when it fails, and takes the
/// performer away when asked to. Meanwhile nobody else writes the performer's record, its status and its place in the roster.
///
/// What to do is decided by `PerformerStateMachine`; this does it.
struct PerformerSupervisor: Sendable {
  /// What the performer's container does when supervision begins.
  enum Start: Sendable {
    /// It serves and is published; the deployment has brought the state machine so far.
    case serving(LaunchedPerformer, PerformerStateMachine)
    /// It runs, left by an earlier daemon.
    case adopting(containerID: String)
    /// There is none.
    case restoring
  }

  private var record: PerformerRecord
  private var machine: PerformerStateMachine
  private let start: Start
  private let mailbox: PerformerMailbox
  private let supervision: Supervision
  private let logger: Logger

  init(_ record: PerformerRecord, _ start: Start, mailbox: PerformerMailbox, _ supervision: Supervision) {
    self.record = record
    self.start = start
    self.mailbox = mailbox
    self.supervision = supervision
    let settings = supervision.settings
    machine =
      switch start {
      case .serving(_, let machine): machine
      case .adopting: PerformerStateMachine(adopting: settings.probes, policy: settings.restarts)
      case .restoring: PerformerStateMachine(restoring: settings.probes, policy: settings.restarts)
      }
    var logger = supervision.logger
    logger[metadataKey: LogKey.performerID] = "\(record.id)"
    logger[metadataKey: LogKey.avs] = "\(record.spec.avs)"
    self.logger = logger
  }

  private var launcher: PerformerLauncher { supervision.launcher }
  private var roster: PerformerRoster { supervision.roster }
  private var statuses: PerformerStatusTable { supervision.statuses }

  /// What the performer should do next.
  private enum Next {
    case serve(LaunchedPerformer)
    /// Connect to the running container of this id.
    case adopt(String, after: Duration)
    /// Create another container in place of the one that failed.
    case replace(after: Duration)
    /// Create the container that the record describes.
    case create(after: Duration)
    case retire((any PerformerConnection)?)
    /// The daemon ends; containers stay for the next one to adopt.
    case leave
  }

  /// Returns once the performer is gone, or the caller cancelled.
  mutating func run() async {
    var outcome: Result<Void, RemovalError> = .failure(.shuttingDown)
    var next = begin()
    supervision: while true {
      switch next {
      case .serve(let launched): next = await serve(launched)
      case .adopt(let containerID, let delay): next = await adopt(containerID, after: delay)
      case .replace(let delay): next = replace(after: delay)
      case .create(let delay): next = await create(after: delay)
      case .retire(let connection):
        outcome = await retire(connection)
        break supervision
      case .leave: break supervision
      }
    }
    mailbox.close(outcome)
  }

  // MARK: Beginning

  private func begin() -> Next {
    switch start {
    case .serving(let launched, _): return .serve(launched)
    case .restoring:
      logger.notice("its container is gone: creating a new one")
      show()
      return .replace(after: .zero)
    case .adopting(let containerID):
      show { $0.containerHealthy = true }
      return .adopt(containerID, after: .zero)
    }
  }

  private mutating func adopt(_ containerID: String, after delay: Duration) async -> Next {
    let (identity, interface) = (record.identity, record.spec.interface)
    let outcome = await InterruptibleLaunch(mailbox: mailbox).run(after: delay) { [launcher] () async throws(DeploymentError) in
      try await launcher.startup.attach(to: containerID, identity, by: interface)
    }
    switch outcome {
    case .launched(let launched):
      publish(launched)
      logger.notice("adopted its running container", metadata: [LogKey.containerID: "\(containerID.prefix(12))"])
      return .serve(launched)
    case .failed(let error): return failed(error, again: { .adopt(containerID, after: $0) })
    case .retiring: return .retire(nil)
    case .cancelled: return .leave
    }
  }

  // MARK: Serving

  private mutating func serve(_ launched: LaunchedPerformer) async -> Next {
    let monitor = HealthMonitor(settings: supervision.settings.probes)
    mailbox.forgetObservations()
    return await withTaskGroup(of: Void.self) { [mailbox] group in
      group.addTask {
        await monitor.watch(launched.connection.probe, activity: { launched.connection.activity }) { mailbox.post(.probed($0)) }
      }
      group.addTask { for await runs in launched.connection.hangs { mailbox.post(.hung(runs: runs)) } }
      defer { group.cancelAll() }
      while let message = await mailbox.next() {
        if let next = await handle(message, launched) { return next }
      }
      await launched.connection.close()
      return .leave
    }
  }

  /// What `message` makes of a performer that serves; nil to go on.
  private mutating func handle(_ message: PerformerMailbox.Message, _ launched: LaunchedPerformer) async -> Next? {
    switch message {
    case .retire: return .retire(launched.connection)
    case .ended(let containerID, let reason):
      guard containerID == launched.containerID else { return nil }
      return await leaveService(launched, .ended("the container \(reason)"))
    case .hung(let runs):
      supervision.observe(.hung(avs: record.spec.avs))
      return await leaveService(
        launched, .hung("\(runs) tasks in a row got no answer within their time, though the container runs"))
    case .probed(.serving):
      _ = machine.handle(.probed(isServing: true, detail: ""), at: .now)
      show { [now = statuses.now] in $0.lastHealthCheck = now }
      return nil
    case .probed(.notServing(let detail)), .probed(.unreachable(let detail)), .probed(.timedOut(let detail)):
      supervision.observe(.probeFailed(avs: record.spec.avs))
      var probed = machine
      guard case .recreate = probed.handle(.probed(isServing: false, detail: detail), at: .now) else {
        machine = probed
        show { [now = statuses.now] in $0.lastHealthCheck = now }
        return nil
      }
      return await leaveService(launched, .probed(isServing: false, detail: detail))
    }
  }

  private mutating func leaveService(_ launched: LaunchedPerformer, _ event: PerformerStateMachine.Event) async -> Next {
    // First no more tasks, then the questions: the engine may take its time to answer them.
    roster.withdraw(performerID: record.id)
    let action = machine.handle(event, at: .now)
    show { $0.containerHealthy = false }
    await launched.connection.close()
    let postMortem = await launcher.runtime.postMortem(of: launched.containerID)
    // A probe may notice before the engine says so, which can take it two seconds; the end of the container explains both.
    if postMortem.hasEnded { machine.explain("the container \(postMortem.reason)") }
    return next(after: action, logTail: postMortem.logTail, again: { .replace(after: $0) })
  }

  // MARK: Replacing

  /// - Parameter again: What to do once more when only the engine did not answer.
  private mutating func failed(_ error: DeploymentError, again: (Duration) -> Next) -> Next {
    let event: PerformerStateMachine.Event =
      error.code == .dockerUnavailable ? .engineUnavailable(error.description) : .startFailed(error.description)
    return next(after: machine.handle(event, at: .now), logTail: error.logTail, again: again)
  }

  private func next(after action: PerformerStateMachine.Action, logTail: [String], again: (Duration) -> Next) -> Next {
    switch action {
    case .recreate(let delay):
      show { entry in
        entry.containerHealthy = false
        entry.logTail = logTail
      }
      logger.warning(
        "the performer failed: replacing its container",
        metadata: [
          LogKey.error: "\(machine.lastError ?? "")", LogKey.delay: "\(delay / .seconds(1))",
          LogKey.logTail: "\(logTail.suffix(3).joined(separator: " | "))",
        ])
      return .replace(after: delay)
    case .tryAgain(let delay):
      show()
      logger.debug(
        "the engine does not answer",
        metadata: [LogKey.error: "\(machine.lastError ?? "")", LogKey.delay: "\(delay / .seconds(1))"])
      return again(delay)
    case .none, .publish, .retire: return .leave
    }
  }

  private mutating func replace(after delay: Duration) -> Next {
    record.generation += 1
    record.containerID = nil
    show()
    return .create(after: delay)
  }

  private mutating func create(after delay: Duration) async -> Next {
    let record = record
    let outcome = await InterruptibleLaunch(mailbox: mailbox).run(after: delay) { [self] () async throws(DeploymentError) in
      try await launcher.launch(record) { took($0) }
    }
    switch outcome {
    case .launched(let launched):
      publish(launched)
      logger.notice("the performer serves again", metadata: [LogKey.containerID: "\(launched.containerID.prefix(12))"])
      return .serve(launched)
    case .failed(let error): return failed(error, again: { .create(after: $0) })
    case .retiring: return .retire(nil)
    case .cancelled: return .leave
    }
  }

  /// Shows a step of a launch. Which image it is, and whether it had to be pulled, is a deployment's concern.
  private func took(_ step: PerformerLauncher.Step) {
    switch step {
    case .pulling, .pulled, .starting: break
    case .created(let containerID):
      statuses.update(record.id) { entry in
        entry.containerID = containerID
        entry.restarts += 1
      }
      supervision.observe(.restarted(avs: record.spec.avs))
    case .started: statuses.update(record.id) { $0.containerHealthy = true }
    }
  }

  private mutating func publish(_ launched: LaunchedPerformer) {
    record.containerID = launched.containerID
    if let imageID = launched.imageID { record.imageID = imageID }
    guard machine.handle(.serving, at: .now) == .publish else { return }
    if !roster.republish(record.entry(launched.connection)) {
      logger.debug("another performer has taken its place meanwhile")
    }
    show { [now = statuses.now] entry in
      entry.containerHealthy = true
      entry.lastHealthCheck = now
    }
  }

  // MARK: Retiring

  private mutating func retire(_ connection: (any PerformerConnection)?) async -> Result<Void, RemovalError> {
    _ = machine.handle(.retiring, at: .now)
    show()
    let outcome = await supervision.retirement.retire(record, connection)
    _ = machine.handle(.retired, at: .now)
    supervision.retirement.dismiss(record.id)
    logger.notice("the performer is removed")
    return outcome
  }

  // MARK: Showing

  private func show(_ change: (inout PerformerSnapshot) -> Void = { _ in }) {
    statuses.update(record.id) { entry in
      entry.state = machine.state
      entry.containerID = record.containerID
      entry.generation = record.generation
      entry.lastError = machine.lastError
      entry.applicationHealthy = machine.isHealthy
      change(&entry)
    }
  }
}

extension Supervision {
  /// Has a performer supervised from now on.
  func begin(_ record: PerformerRecord, _ start: PerformerSupervisor.Start) {
    let mailbox = PerformerMailbox()
    let supervisor = PerformerSupervisor(record, start, mailbox: mailbox, self)
    supervisors.start(record.id, of: record.spec.avs, mailbox) {
      var supervisor = supervisor
      await supervisor.run()
    }
  }
}

extension PerformerRecord {
  var identity: ContainerIdentity {
    ContainerIdentity(performerID: id, avs: spec.avs, generation: generation)
  }

  /// The record with a container that was created, and the image it runs.
  func with(containerID: String, imageID: String?) -> PerformerRecord {
    var record = self
    (record.containerID, record.imageID) = (containerID, imageID)
    return record
  }

  /// The performer's place in the roster, reached over `connection`.
  func entry(_ connection: any PerformerConnection) -> PerformerRoster.Entry {
    PerformerRoster.Entry(
      performerID: id, avs: spec.avs, replica: replica, capacity: max(1, spec.concurrency), connection: connection)
  }
}
