import Logging
import PonosCore
import PonosDocker
import PonosStore
import ServiceLifecycle
import Synchronization

/// Runs the performers of all AVSs: recovers those that should be there, deploys and removes them on demand, and supervises each
/// in a child of its own, so that none can hold up another.
///
/// `deploy` and `remove` only ask; `run()` does the work, so a caller that goes away changes nothing. Containers are left running
/// when the service ends, for the next daemon to adopt.
package final class PerformerService: Service, Sendable {
  private let docker: DockerClient
  private let store: any PerformerStore
  private let roster: PerformerRoster
  private let configured: [PerformerSpec]
  private let allotments: [EthereumAddress: PerformerAllotment]
  private let settings: PerformerSettings
  private let executorEnvironment: [String: String]
  private let observe: @Sendable (PerformerEvent) -> Void
  private let connect: @Sendable (PerformerEndpoint) throws -> any PerformerConnection
  private let logger: Logger
  private let statuses = PerformerStatusTable()
  private let desk = PerformerDesk()

  /// - Parameters:
  ///   - configured: What the configuration wants, at most one for each AVS.
  ///   - allotments: What the configuration grants performers of each AVS, however they were deployed.
  ///   - executorEnvironment: The daemon's own environment.
  ///   - observe: Called for everything worth counting; must not block.
  ///   - connect: Makes the line to a container. Each one is closed by this service.
  package init(
    docker: DockerClient, store: any PerformerStore, roster: PerformerRoster, configured: [PerformerSpec],
    allotments: [EthereumAddress: PerformerAllotment] = [:], settings: PerformerSettings = PerformerSettings(),
    executorEnvironment: [String: String],
    observe: @escaping @Sendable (PerformerEvent) -> Void = { _ in },
    connect: @escaping @Sendable (PerformerEndpoint) throws -> any PerformerConnection, logger: Logger
  ) {
    self.docker = docker
    self.store = store
    self.roster = roster
    self.configured = configured
    self.allotments = allotments
    self.settings = settings
    self.executorEnvironment = executorEnvironment
    self.observe = observe
    self.connect = connect
    self.logger = logger
  }

  // MARK: For everyone

  /// Puts a new performer in service for an AVS; the one that serves it now serves until then, is drained and removed.
  /// Returns when the new one serves; the other replicas of the AVS follow, each blue-green by itself. Variables that the
  /// deny-list names are dropped from specs of origin `deployment`.
  package func deploy(_ spec: PerformerSpec, origin: PerformerOrigin) async throws(DeploymentError) -> Deployment {
    let order = DeploymentOrder(spec: origin == .deployment ? admitted(spec) : spec, origin: origin)
    return try await desk.deploy(order)
  }

  /// Takes a performer out of service, with all other replicas of its AVS, lets them finish their tasks, and removes them with
  /// their containers. Returns when that is done.
  package func remove(performerID: String) async throws(RemovalError) {
    if let (avs, mailboxes) = try desk.beginRemoval(of: performerID) {
      let outcomes = await withTaskGroup(of: Result<Void, RemovalError>.self) { group in
        for mailbox in mailboxes { group.addTask { await mailbox.retire() } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      desk.endRemoval(of: avs)
      for outcome in outcomes { try outcome.get() }
      return
    }
    guard let entry = statuses.entry(performerID) else {
      throw RemovalError(
        .unknownPerformer, "No performer is called '\(performerID)'. ListPerformers names those there are.")
    }
    // A performer that does not come up is not tried again; one that may yet come up is left alone.
    guard entry.role == .staged, entry.state == .failed else {
      throw RemovalError(
        .alreadyInProgress, "\(performerID) is being deployed or removed. Wait for that to finish, then try again.")
    }
    if entry.origin == .configuration { desk.abandon(entry.avs) }
    statuses.remove(performerID)
  }

  /// What every performer is doing now, by AVS, those in service first. Never waits.
  package func snapshots() -> [PerformerSnapshot] {
    let busy = Set(roster.snapshot().lazy.filter { $0.outstanding > 0 }.map(\.performerID))
    return statuses.all.map { snapshot in
      guard snapshot.state == .running, busy.contains(snapshot.performerID) else { return snapshot }
      var snapshot = snapshot
      snapshot.state = .executing
      return snapshot
    }
  }

  /// Whether a performer of the AVS is there, or may be: wanted by the configuration, or not known yet because recovery goes on.
  package func mayServe(_ avs: EthereumAddress) -> Bool {
    desk.obstacle != nil || desk.wanted.contains(avs) || statuses.all.contains { $0.avs == avs }
  }

  /// Whether a performer of the AVS was not started because it may use more than the host has.
  package func isTooLargeForHost(_ avs: EthereumAddress) -> Bool {
    statuses.all.contains { $0.avs == avs && $0.isTooLargeForHost }
  }

  /// Why the performers are not all ready for tasks; empty when they are.
  package func notReady() -> [String] {
    if let obstacle = desk.obstacle { return [obstacle] }
    let entries = statuses.all
    let missing = desk.wanted.filter { avs in !entries.contains { $0.avs == avs } }
    let down = entries.filter { entry in
      !roster.isServing(entry.avs) && (entry.role == .inService || desk.wanted.contains(entry.avs))
    }
    let open = Set(entries.map(\.avs)).filter { roster.breakersOpen($0) ?? .zero > .zero }.sorted { "\($0)" < "\($1)" }
    return missing.map { "no performer of AVS \($0) is deployed yet" }
      + open.map { "performers of AVS \($0) fail their tasks and are left alone for a while: their circuit breakers are open" }
      + down.map { "performer \($0.performerID) is \($0.state.rawValue)" + ($0.lastError.map { ": \($0)" } ?? "") }
  }

  // MARK: Running

  package func run() async throws {
    defer { desk.close() }
    let installationID = try await store.installationID()
    let workers = workers(installationID: installationID)
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        if await self.recover(workers) {
          group.addTask { await self.feed(workers).run() }
          for await job in self.desk.jobs {
            group.addTask { await self.perform(job, workers) }
          }
        }
        group.cancelAll()
      }
    }
  }

  /// The parts that do the work, made once the installation is known.
  private struct Workers: Sendable {
    let runtime: DockerRuntime
    let restorer: PerformerRestorer
    let deployer: PerformerDeployer
    let comparison: EngineComparison
  }

  private func workers(installationID: String) -> Workers {
    let networks = PerformerNetworks(docker: docker, installationID: installationID, joinedNetwork: settings.networkName)
    let runtime = DockerRuntime(
      docker: docker, installationID: installationID, networks: networks, executorEnvironment: executorEnvironment,
      stopGrace: settings.stopGrace)
    let images = ImageResolver(docker: docker, pullLimit: settings.pullLimit, pullIdleLimit: settings.pullIdleLimit)
    let launcher = PerformerLauncher(runtime: runtime, probes: settings.probes, connect: connect)
    let restorer = PerformerRestorer(
      launcher: launcher, images: images, networks: networks, store: store, statuses: statuses, observe: observe, logger: logger)
    let staging = PerformerStaging(
      launcher: launcher, images: images, store: store, statuses: statuses, settings: settings, observe: observe)
    return Workers(
      runtime: runtime, restorer: restorer,
      deployer: PerformerDeployer(
        staging: staging, restorer: restorer, store: store, roster: roster, statuses: statuses, desk: desk,
        retries: settings.restarts,
        observe: observe, supervise: { self.supervise($0.record, $0.machine, .serving($0.launched), restorer) }, logger: logger),
      comparison: EngineComparison(runtime: runtime, networks: networks, statuses: statuses, desk: desk, logger: logger))
  }

  private func perform(_ job: PerformerDesk.Job, _ workers: Workers) async {
    switch job {
    case .deploy(let order):
      guard desk.isAwaited(order) else { return }
      let outcome = await workers.deployer.deploy(order)
      switch outcome {
      case .success: lead(order)
      // Whoever asked is told; only what is tried again stays in view.
      case .failure: statuses.remove(order.performerID)
      }
      desk.finish(order, outcome)
    case .keepDeployed(let standing):
      if await workers.deployer.keepDeployed(standing), standing.leadsOthers { lead(standing.order) }
    case .supervise(var supervisor):
      await supervisor.run()
      desk.leave(supervisor.record.id)
    }
  }

  /// Has the other replicas of an AVS brought to what a performer runs that has just come into service.
  private func lead(_ order: DeploymentOrder) {
    for replica in 0..<max(1, allotments[order.spec.avs]?.replicas ?? 1) where replica != order.replica {
      desk.submit(.keepDeployed(StandingOrder(following: order.performerID, order.spec, replica: replica)))
    }
  }

  // MARK: Recovery

  /// Makes containers and records match, as soon as the engine answers. false when the service ends before that.
  private func recover(_ workers: Workers) async -> Bool {
    var attempt = 0
    while !Task.isCancelled {
      do throws(RecoveryError) {
        let recovered = try await PerformerRecovery(runtime: workers.runtime, store: store, logger: logger)
          .recover(configured: configured, allotments: allotments)
        begin(recovered, workers)
        return true
      } catch {
        attempt += 1
        if desk.block(error.description) {
          logger.error("performers cannot be recovered yet; trying again", metadata: ["reason": "\(error)"])
        }
        try? await Task.sleep(for: settings.restarts.delay(beforeAttempt: attempt))
      }
    }
    return false
  }

  private func begin(_ recovered: RecoveredPerformers, _ workers: Workers) {
    for (record, containerID) in recovered.kept {
      statuses.put(PerformerSnapshot(record, state: containerID == nil ? .restarting : .starting))
      let machine =
        containerID == nil
        ? PerformerStateMachine(restoring: settings.probes, policy: settings.restarts)
        : PerformerStateMachine(adopting: settings.probes, policy: settings.restarts)
      supervise(record, machine, containerID.map { .adopting(containerID: $0) } ?? .restoring, workers.restorer)
    }
    desk.open(wanted: configured.map(\.avs))
    for order in recovered.deployments { desk.submit(.keepDeployed(order)) }
  }

  private func supervise(
    _ record: PerformerRecord, _ machine: PerformerStateMachine, _ start: PerformerSupervisor.Start,
    _ restorer: PerformerRestorer
  ) {
    let mailbox = PerformerMailbox()
    let supervisor = PerformerSupervisor(
      record, machine: machine, start: start, mailbox: mailbox, restorer: restorer, roster: roster, statuses: statuses,
      settings: settings, observe: observe, logger: logger)
    desk.enter(record.id, record.replicaID, mailbox)?.post(.retire)
    desk.submit(.supervise(supervisor))
  }

  // MARK: Deploying

  private func admitted(_ spec: PerformerSpec) -> PerformerSpec {
    let (passed, dropped) = settings.environmentDenyList.filter(spec.environment)
    if dropped > 0 {
      logger.notice(
        "environment variables that performers do not get were dropped from a deployment",
        metadata: ["avs": "\(spec.avs)", "dropped": "\(dropped)", "passed": "\(passed.count)"])
    }
    var spec = spec
    spec.environment = passed
    return spec
  }

  // MARK: Listening

  private func feed(_ workers: Workers) -> ContainerEventFeed {
    ContainerEventFeed(
      runtime: workers.runtime, logger: logger, comparisonInterval: settings.comparisonInterval, deliver: { self.deliver($0) },
      compare: { () async throws(DockerError) in try await workers.comparison.run() })
  }

  private func deliver(_ event: ContainerEvent) {
    switch event {
    case .ended(let performerID, let containerID, let reason):
      desk.mailbox(of: performerID)?.post(.ended(containerID: containerID, reason: reason))
    case .outOfMemory(let performerID, let containerID):
      guard let entry = statuses.entry(performerID) else { return }
      observe(.outOfMemory(avs: entry.avs))
      logger.warning(
        "a process of a performer was killed for exceeding the memory limit",
        metadata: ["performer": "\(performerID)", "container": "\(containerID.prefix(12))"])
    }
  }
}
