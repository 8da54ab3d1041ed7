import Logging
import PonosCore
import PonosDocker

/// Keeps one performer in service: watches its container and its health, replaces the container when it fails, and takes the
/// performer away when asked to. The performer's record, board entry and place in the roster are written by nobody else meanwhile.
///
/// What to do is decided by `PerformerStateMachine`; this does it.
struct PerformerSupervisor: Sendable {
  /// What the performer's container does when supervision begins.
  enum Start: Sendable {
    /// It serves and is published.
    case serving(LaunchedPerformer)
    /// It runs, left by an earlier daemon.
    case adopting(containerID: String)
    /// There is none.
    case restoring
  }

  private(set) var record: PerformerRecord
  private var machine: PerformerStateMachine
  private let start: Start
  private let mailbox: PerformerMailbox
  private let restorer: PerformerRestorer
  private let roster: PerformerRoster
  private let board: PerformerBoard
  private let settings: PerformerSettings
  private let observe: @Sendable (PerformerEvent) -> Void
  private let logger: Logger

  init(
    _ record: PerformerRecord, machine: PerformerStateMachine, start: Start, mailbox: PerformerMailbox,
    restorer: PerformerRestorer, roster: PerformerRoster, board: PerformerBoard, settings: PerformerSettings,
    observe: @escaping @Sendable (PerformerEvent) -> Void, logger: Logger
  ) {
    self.record = record
    self.machine = machine
    self.start = start
    self.mailbox = mailbox
    self.restorer = restorer
    self.roster = roster
    self.board = board
    self.settings = settings
    self.observe = observe
    var logger = logger
    logger[metadataKey: "performer"] = "\(record.id)"
    logger[metadataKey: "avs"] = "\(record.spec.avs)"
    self.logger = logger
  }

  /// What the performer should do next.
  private enum Next {
    case serve(LaunchedPerformer)
    case recreate(after: Duration)
    case retire((any PerformerConnection)?)
    /// The daemon ends; containers stay for the next one to adopt.
    case leave
  }

  /// Returns once the performer is gone, or the caller cancelled.
  mutating func run() async {
    var outcome: Result<Void, RemovalError> = .failure(.shuttingDown)
    var next = await begin()
    supervision: while true {
      switch next {
      case .serve(let launched): next = await serve(launched)
      case .recreate(let delay): next = await recreate(after: delay)
      case .retire(let connection):
        outcome = await retire(connection)
        break supervision
      case .leave: break supervision
      }
    }
    mailbox.close(outcome)
  }

  // MARK: Beginning

  private mutating func begin() async -> Next {
    switch start {
    case .serving(let launched): return .serve(launched)
    case .restoring:
      logger.notice("its container is gone: creating a new one")
      show()
      return .recreate(after: .zero)
    case .adopting(let id): return await adopt(id)
    }
  }

  private mutating func adopt(_ containerID: String) async -> Next {
    show { $0.containerHealthy = true }
    let identity = record.identity
    let result = await unlessRetiring { [restorer] () async throws(DeploymentError) in
      try await restorer.launcher.attach(to: containerID, identity)
    }
    switch result {
    case .done(.success(let launched)):
      record.containerID = containerID
      publish(launched)
      logger.notice("adopted its running container", metadata: ["container": "\(containerID.prefix(12))"])
      return .serve(launched)
    case .done(.failure(let error)): return failed(error)
    case .retiring: return .retire(nil)
    case .cancelled: return .leave
    }
  }

  // MARK: Serving

  private mutating func serve(_ launched: LaunchedPerformer) async -> Next {
    let monitor = HealthMonitor(settings: settings.probes)
    return await withTaskGroup(of: Void.self) { [mailbox] group in
      group.addTask { await monitor.watch(launched.connection) { mailbox.post(.probed($0)) } }
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
    case .probed(.serving):
      _ = machine.handle(.probed(isServing: true, detail: ""), at: .now)
      show { [now = board.now] in $0.lastHealthCheck = now }
      return nil
    case .probed(.notServing(let detail)), .probed(.unreachable(let detail)):
      observe(.probeFailed(avs: record.spec.avs))
      var probed = machine
      guard case .recreate = probed.handle(.probed(isServing: false, detail: detail), at: .now) else {
        machine = probed
        show { [now = board.now] in $0.lastHealthCheck = now }
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
    let postMortem = await restorer.launcher.runtime.postMortem(of: launched.containerID)
    if case .ended = event { machine.explain("the container \(postMortem.reason)") }
    return next(after: action, logTail: postMortem.logTail)
  }

  // MARK: Replacing

  private mutating func failed(_ error: DeploymentError) -> Next {
    next(after: machine.handle(.startFailed(error.description), at: .now), logTail: error.logTail)
  }

  private func next(after action: PerformerStateMachine.Action, logTail: [String]) -> Next {
    show { entry in
      entry.containerHealthy = false
      entry.logTail = logTail
    }
    guard case .recreate(let delay) = action else { return .leave }
    observe(.restarted(avs: record.spec.avs))
    logger.warning(
      "the performer failed: replacing its container",
      metadata: [
        "reason": "\(machine.lastError ?? "")", "delay": "\(delay)", "restarts": "\(machine.restarts)",
        "log": "\(logTail.suffix(3).joined(separator: " | "))",
      ])
    return .recreate(after: delay)
  }

  private mutating func recreate(after delay: Duration) async -> Next {
    let failedRecord = record
    record.generation += 1
    record.containerID = nil
    let replacement = record
    show()
    let result = await unlessRetiring { [restorer] () async throws(DeploymentError) in
      do { try await Task.sleep(for: delay) } catch { throw .shuttingDown }
      return try await restorer.restore(replacement, from: failedRecord)
    }
    switch result {
    case .done(.success(let launched)):
      record.containerID = launched.containerID
      publish(launched)
      logger.notice("the performer serves again", metadata: ["container": "\(launched.containerID.prefix(12))"])
      return .serve(launched)
    case .done(.failure(let error)): return failed(error)
    case .retiring: return .retire(nil)
    case .cancelled: return .leave
    }
  }

  private mutating func publish(_ launched: LaunchedPerformer) {
    guard machine.handle(.serving, at: .now) == .publish else { return }
    roster.publish(record.entry(launched.connection))
    show { [now = board.now] entry in
      entry.containerHealthy = true
      entry.lastHealthCheck = now
    }
  }

  // MARK: Retiring

  private mutating func retire(_ connection: (any PerformerConnection)?) async -> Result<Void, RemovalError> {
    _ = machine.handle(.retiring, at: .now)
    show()
    roster.withdraw(performerID: record.id)
    let outcome = await restorer.forget(record.id)
    await drain()
    await connection?.close()
    let isLast = !board.all.contains { $0.avs == record.spec.avs && $0.performerID != record.id }
    await restorer.removeContainers(of: record, withNetwork: isLast, logger: logger)
    _ = machine.handle(.retired, at: .now)
    board.remove(record.id)
    logger.notice("the performer is removed")
    return outcome
  }

  /// Waits for the tasks the performer holds, within the limit.
  private func drain() async {
    let isDrained = await withTaskGroup(of: Bool.self) { [roster, id = record.id, limit = settings.drainLimit] group in
      group.addTask {
        await roster.drained(performerID: id)
        return !Task.isCancelled
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? true
    }
    if !isDrained { logger.warning("tasks of the performer are cut off", metadata: ["drainLimit": "\(settings.drainLimit)"]) }
  }

  // MARK: Beneath

  private enum Interruptible {
    case done(Result<LaunchedPerformer, DeploymentError>)
    case retiring
    case cancelled
  }

  /// Runs `launch` unless the performer is asked to go before it is through.
  private func unlessRetiring(
    _ launch: @escaping @Sendable () async throws(DeploymentError) -> LaunchedPerformer
  ) async -> Interruptible {
    await withTaskGroup(of: Result<LaunchedPerformer, DeploymentError>?.self) { [mailbox] group in
      group.addTask {
        do throws(DeploymentError) { return .success(try await launch()) } catch { return .failure(error) }
      }
      group.addTask {
        _ = await mailbox.untilRetiring()
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      guard let first, !Task.isCancelled else {
        for await case .success(let late)? in group { await late.connection.close() }
        if case .success(let launched)? = first { await launched.connection.close() }
        return Task.isCancelled ? .cancelled : .retiring
      }
      return .done(first)
    }
  }

  private func show(_ change: (inout PerformerSnapshot) -> Void = { _ in }) {
    board.update(record.id) { entry in
      entry.role = record.role
      entry.state = machine.state
      entry.containerID = record.containerID
      entry.generation = record.generation
      entry.restarts = machine.restarts
      entry.lastError = machine.lastError
      entry.applicationHealthy = machine.isHealthy
      change(&entry)
    }
  }
}

extension PerformerRecord {
  var identity: ContainerIdentity {
    ContainerIdentity(performerID: id, avs: spec.avs, generation: generation)
  }

  /// The performer's place in the roster, reached over `connection`.
  func entry(_ connection: any PerformerConnection) -> PerformerRoster.Entry {
    PerformerRoster.Entry(
      performerID: id, avs: spec.avs, capacity: max(1, spec.concurrency), connection: connection)
  }
}
