import Logging
import PonosCore
import PonosDocker
import PonosStore
import PonosTelemetry
import ServiceLifecycle
import Synchronization

/// Runs the performers of all AVSs: recovers those that should be there, deploys and removes them on demand, and supervises each
/// in a child task of its own, so that none can hold up another.
///
/// `deploy` and `remove` only ask; `run()` does the work, so a caller that goes away changes nothing. Containers go on running
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
  private let supervisors = SupervisorRegistry()
  private let deployments = DeploymentCoordinator()
  private let resources = HostResources()

  /// - Parameters:
  ///   - configured: What the configuration wants, at most one for each AVS.
  ///   - allotments: What the configuration grants performers of each AVS, however they were deployed.
  ///   - executorEnvironment: The daemon's own environment.
  ///   - observe: Called for everything worth counting; must not block.
  ///   - connect: Makes the connection to a container. This service closes each of them.
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

  // MARK: Deploying and removing

  /// Puts a new performer in service for an AVS; the one that serves it now serves until then, is drained and removed.
  /// Returns when the new one serves; the other replicas of the AVS follow, each blue-green by itself. Variables that the
  /// deny-list names are dropped from specs of origin `deployment`.
  package func deploy(_ spec: PerformerSpec, origin: PerformerOrigin) async throws(DeploymentError) -> Deployment {
    try await deployments.deploy(DeploymentRequest(spec: origin == .deployment ? admitted(spec) : spec, origin: origin))
  }

  /// Takes a performer out of service, with all other replicas of its AVS, lets them finish their tasks, and removes them with
  /// their containers. Returns when that is done.
  package func remove(performerID: String) async throws(RemovalError) {
    try deployments.admitRemoval()
    guard let avs = supervisors.avs(of: performerID) else { return try giveUp(performerID) }
    for outcome in try await deployments.remove(allOf: avs, { await supervisors.retire(allOf: avs) }) { try outcome.get() }
  }

  /// Ends the attempts at a performer that has failed to come up. One that may yet come up is left alone.
  private func giveUp(_ performerID: String) throws(RemovalError) {
    guard let entry = statuses.entry(performerID) else {
      throw RemovalError(
        .unknownPerformer, "No performer is called '\(performerID)'. ListPerformers names those there are.")
    }
    guard entry.state == .failed else {
      throw RemovalError(
        .alreadyInProgress, "\(performerID) is being deployed or removed. Wait for that to finish, then try again.")
    }
    if entry.origin == .configuration { deployments.abandon(entry.avs) }
    statuses.remove(performerID)
    resources.release(performerID)
  }

  // MARK: Reading

  /// What every performer is doing now, by AVS, those in service first. Never waits.
  package func snapshots() -> [PerformerSnapshot] {
    let inService = roster.inService
    let busy = Set(roster.snapshot().lazy.filter { $0.outstanding > 0 }.map(\.performerID))
    return statuses.all.map { status in
      var snapshot = status
      snapshot.isInService = inService.contains(status.performerID)
      if status.state == .running, busy.contains(status.performerID) { snapshot.state = .executing }
      return snapshot
    }.sorted(by: PerformerSnapshot.precedes)
  }

  /// The containers of performers that run, as far as is known.
  package func runningContainers() -> [ContainerUsageSampler.Container] {
    statuses.all.filter(\.containerHealthy).compactMap { status in
      status.containerID.map { ContainerUsageSampler.Container(avs: status.avs, id: $0) }
    }
  }

  /// Why no task of the AVS can be given to a performer now; nil when one can.
  package func obstacle(for avs: EthereumAddress) -> Rejection? {
    PerformerReadiness(roster: roster, resources: resources).obstacle(for: avs, isExpected: mayServe(avs))
  }

  /// Whether a performer of the AVS is there, or may be: wanted by the configuration, or not known yet because recovery goes on.
  private func mayServe(_ avs: EthereumAddress) -> Bool {
    deployments.obstacle != nil || deployments.wanted.contains(avs) || statuses.all.contains { $0.avs == avs }
  }

  /// Why the performers are not all ready for tasks; empty when they are.
  package func notReady() -> [String] {
    if let obstacle = deployments.obstacle { return [obstacle] }
    let entries = statuses.all
    let missing = deployments.wanted.filter { avs in !entries.contains { $0.avs == avs } }
    let down = entries.filter { entry in
      !roster.isServing(entry.avs) && (supervisors.avs(of: entry.performerID) != nil || deployments.wanted.contains(entry.avs))
    }
    let open = Set(entries.map(\.avs)).filter { roster.breakersOpen($0) ?? .zero > .zero }.sorted { "\($0)" < "\($1)" }
    return missing.map { "no performer of AVS \($0) is deployed yet" }
      + open.map { "performers of AVS \($0) fail their tasks and are left alone for a while: their circuit breakers are open" }
      + down.map { "performer \($0.performerID) is \($0.state.rawValue)" + ($0.lastError.map { ": \($0)" } ?? "") }
  }

  // MARK: Running

  package func run() async throws {
    defer { deployments.close() }
    let workers = workers(installationID: try await store.installationID())
    await cancelWhenGracefulShutdown {
      guard await self.recover(workers.reconciler) else { return }
      await withDiscardingTaskGroup { group in
        group.addTask { await self.feed(workers).run() }
        group.addTask { await self.supervisors.run() }
        for await job in self.deployments.jobs {
          group.addTask { await workers.deployer.perform(job) }
        }
        group.cancelAll()
      }
    }
  }

  /// The parts that do the work, made once the installation is known.
  private struct Workers: Sendable {
    let runtime: DockerRuntime
    let deployer: PerformerDeployer
    let reconciler: EngineReconciler
  }

  private func workers(installationID: String) -> Workers {
    let networks = PerformerNetworks(docker: docker, installationID: installationID, joinedNetwork: settings.networkName)
    let runtime = DockerRuntime(
      docker: docker, installationID: installationID, networks: networks, executorEnvironment: executorEnvironment,
      stopGrace: settings.stopGrace)
    let supervision = Supervision(
      launcher: PerformerLauncher(
        runtime: runtime,
        images: ImageResolver(docker: docker, pullLimit: settings.pullLimit, pullIdleLimit: settings.pullIdleLimit), store: store,
        startup: ContainerStartup(runtime: runtime, probes: settings.probes, connect: connect), logger: logger),
      retirement: PerformerRetirement(
        runtime: runtime, networks: networks, store: store, roster: roster, statuses: statuses, resources: resources,
        drainLimit: settings.drainLimit, logger: logger),
      roster: roster, statuses: statuses, supervisors: supervisors, settings: settings, observe: observe, logger: logger)
    return Workers(
      runtime: runtime,
      deployer: PerformerDeployer(
        supervision: supervision, resources: resources, store: store, deployments: deployments, allotments: allotments,
        logger: logger),
      reconciler: EngineReconciler(
        supervision: supervision, networks: networks, store: store, resources: resources, deployments: deployments,
        logger: logger))
  }

  /// Recovers what an earlier daemon left, as soon as the engine answers. Returns false when the service ends before that.
  private func recover(_ reconciler: EngineReconciler) async -> Bool {
    var attempt = 0
    while !Task.isCancelled {
      do throws(RecoveryError) {
        try await reconciler.recover(configured: configured, allotments: allotments)
        return true
      } catch {
        attempt += 1
        if deployments.block(error.description) {
          logger.error("performers cannot be recovered yet; trying again", metadata: [LogKey.error: "\(error)"])
        }
        try? await Task.sleep(for: settings.restarts.delay(beforeAttempt: attempt))
      }
    }
    return false
  }

  // MARK: Environment

  private func admitted(_ spec: PerformerSpec) -> PerformerSpec {
    let (passed, dropped) = settings.environmentDenyList.filter(spec.environment)
    if dropped > 0 {
      logger.notice(
        "environment variables that performers do not get were dropped from a deployment",
        metadata: [LogKey.avs: "\(spec.avs)", LogKey.dropped: "\(dropped)", LogKey.kept: "\(passed.count)"])
    }
    var spec = spec
    spec.environment = passed
    return spec
  }

  // MARK: Listening

  private func feed(_ workers: Workers) -> ContainerEventFeed {
    ContainerEventFeed(
      runtime: workers.runtime, logger: logger, comparisonInterval: settings.comparisonInterval, deliver: { self.deliver($0) },
      compare: { () async throws(DockerError) in try await workers.reconciler.compare() })
  }

  private func deliver(_ event: ContainerEvent) {
    switch event {
    case .ended(let performerID, let containerID, let reason):
      supervisors.mailbox(of: performerID)?.post(.ended(containerID: containerID, reason: reason))
    case .outOfMemory(let performerID, let containerID):
      guard let entry = statuses.entry(performerID) else { return }
      observe(.outOfMemory(avs: entry.avs))
      logger.warning(
        "a process of a performer was killed for exceeding the memory limit",
        metadata: [
          LogKey.performerID: "\(performerID)", LogKey.avs: "\(entry.avs)", LogKey.containerID: "\(containerID.prefix(12))",
        ])
    }
  }
}
