import Foundation
import GRPCCore
import Logging
import PonosAPI
import PonosConfiguration
import PonosContainers
import PonosCore
import PonosCrypto
import PonosDocker
import PonosStore
import PonosSystem
import PonosTelemetry
import PonosTransport
import ServiceLifecycle
import UnixSignals

/// The composition root: makes values bottom-up from the configuration and hands them to an ordered list of services.
package struct ExecutorDaemon: Sendable {
  /// The daemon's own version, as `version` prints it.
  package static let version = "0.1.0"

  /// Calls in hand may take this long to finish after a request to stop.
  private static let drainLimit = Duration.seconds(20)

  private let config: ExecutorConfig
  private let environment: [String: String]
  private let logger: Logger

  /// - Parameter environment: The process environment. The daemon reads `DOCKER_HOST` from it, the variables that performers take
  ///   from it, and, in tests, the failpoint at which to end.
  package init(config: ExecutorConfig, environment: [String: String], logger: Logger) {
    self.config = config
    self.environment = environment
    self.logger = logger
  }

  /// Runs until SIGTERM or SIGINT, or until a service fails.
  package func run() async throws {
    // Before anything counts how many files there may be.
    let openFiles = OpenFileLimit.raise()
    let taken = ListenerCheck.errors(config)
    guard taken.isEmpty else { throw ListenerErrors(errors: taken) }
    // Password hashes take seconds by design. Unfinished tasks come back in the meantime: recovery needs the curves, not the
    // keys.
    async let decryptedKeys = KeyRing.load(config)
    let base = try infrastructure()
    let tasks = try taskState(on: base)
    let recovery = StateRecovery(
      store: base.store, journal: tasks.journal, validator: tasks.validator, inFlight: tasks.inFlight, queue: tasks.queue,
      metrics: base.metrics, logger: logger)
    try await recovery.recoverTasks()
    base.failpoints.pass(.startRecovered)
    let keys = base.failpoints.watching(try await decryptedKeys)
    tasks.onChain?.use(keys)
    try await base.chain?.prepare(logger)
    let processing = processing(of: tasks, keys, base)
    let docker = DockerClient(endpoint: try .fromEnvironment(environment))
    let performers = performers(in: docker, base, processing)
    let intake = intake(to: tasks, processing, performers, keys, base)

    let view = DaemonView(
      version: Self.version, config: config, startedAt: base.startedAt, clock: base.clock, store: base.store,
      storeStatistics: base.storeStatistics, storeCondition: base.storeCondition, queue: tasks.queue, inFlight: tasks.inFlight,
      roster: processing.roster, performers: performers, admission: intake.admission, metrics: base.metrics,
      chain: ChainView(base.chain, tasks.onChain, servesOthers: config.avs.contains { $0.registry != nil }),
      installationID: try await base.store.installationID())
    base.registry.beforeScrape { view.publishGauges() }
    if let chain = base.chain {
      base.registry.beforeScrape {
        base.chainMetrics.publish(chain.reader, remembered: tasks.onChain?.rememberedCount ?? 0)
      }
    }

    // In start order; stopped in reverse.
    var services: [any Service] = storeServices(
      base.store, statistics: base.storeStatistics, condition: base.storeCondition, metrics: base.metrics)
    if let chain = base.chain {
      services.append(
        ChainService(access: chain, onFirstAnswer: { await recovery.takeUpKeptTasks() }, logger: logger))
    }
    services += [
      OperationsServer(
        configuration: config.operations, registry: base.registry, readiness: { view.readiness() },
        state: { await view.state() }, logger: logger),
      ResourceSampler(registry: base.registry),
      performers,
      ContainerUsageSampler(
        running: { performers.runningContainers() },
        usage: { id throws(DockerError) in try await docker.usage(ofContainer: id) },
        observe: { [metrics = base.metrics] in metrics.containerUsage($0) }, logger: logger),
      TaskService(queue: tasks.queue, roster: processing.roster, pipeline: processing.pipeline, clock: base.clock),
    ]
    let health = HealthPublisher { view.readiness().isReady }
    services.append(health)
    services += ports(for: intake, performers, keys, base, health).listeners
    services.append(TaskIntakeService(admission: intake.admission, drainLimit: Self.drainLimit))
    services.append(AggregatorSessionService(sessions: intake.sessions, aggregators: config.aggregators, logger: logger))
    logger.notice(
      "starting",
      metadata: [
        LogKey.version: "\(Self.version)", LogKey.operatorAddress: "\(config.identity.address)",
        LogKey.openFiles: "\(openFiles.map(String.init) ?? "unknown")",
      ])
    try await run(base.failpoints.watching(services))
    base.failpoints.pass(.stopServices)
    try await base.store.close()
    base.failpoints.pass(.stopStore)
  }

  // MARK: Parts

  /// What all other parts use.
  private struct Infrastructure {
    let failpoints: Failpoints
    let clock = TaskClock.system
    let startedAt: UnixMilliseconds
    let registry: PrometheusRegistry
    let metrics: ExecutorMetrics
    let streamMetrics: StreamMetrics
    /// Verifies the signatures of aggregators and our own.
    let verifier: SignatureVerifier
    let store: any ExecutorStore
    let storeStatistics: @Sendable () -> StoreStatistics
    let storeCondition = StoreCondition()
    let audit: AuditLog
    /// nil when nothing is read from the chain.
    let chain: ChainAccess?
    let chainMetrics: ChainMetrics
  }

  private func infrastructure() throws -> Infrastructure {
    let failpoints = try armedFailpoints()
    let clock = TaskClock.system
    let registry = PrometheusRegistry()
    let avs = config.avs.map(\.address)
    let metrics = ExecutorMetrics(registry: registry, avs: avs, version: Self.version, started: Date())
    let (store, storeStatistics) = try openStore(metrics: metrics, failpoints: failpoints)
    let chainMetrics = ChainMetrics(registry: registry, version: Self.version)
    let endpointLog = EndpointLog(logger: logger)
    let chain = try ChainAccess.open(config) { event in
      chainMetrics.observe(event)
      endpointLog.note(event)
    }
    return Infrastructure(
      failpoints: failpoints, startedAt: clock.unix(), registry: registry, metrics: metrics,
      streamMetrics: StreamMetrics(registry: registry, avs: avs),
      verifier: SignatureVerifier { metrics.signaturesChecked($0) }, store: store, storeStatistics: storeStatistics,
      audit: AuditLog(path: config.auditLogPath, logger: Logger(label: "ponos.audit"), now: clock.unix),
      chain: chain, chainMetrics: chainMetrics)
  }

  /// What says which tasks may be accepted, and what holds the accepted ones: the journal, the queue, the tasks in flight.
  private struct TaskState {
    let operatorSets: OperatorSetRegistries
    /// nil when every AVS has a static registry.
    let onChain: ChainOperatorSetRegistry?
    let validator: TaskValidator
    let queue: TaskQueue
    let transmitter: ResultTransmitter
    let inFlight: InFlightTasks
    let journal: TaskJournal
  }

  private func taskState(on base: Infrastructure) throws -> TaskState {
    let (metrics, clock) = (base.metrics, base.clock)
    let onChain = base.chain?.registry(config)
    let operatorSets = OperatorSetRegistries(
      configured: try StaticOperatorSetRegistry(config.avs), onChain: onChain,
      chainAVS: Set(config.avs.filter { $0.registry == nil }.map(\.address)))
    let validator = TaskValidator(
      operatorAddress: config.identity.address, registry: operatorSets, verifier: base.verifier,
      signers: { [config] set in Set(SignatureCurve.allCases.filter { config.hasKey(of: $0, for: set) }) },
      maxPayloadBytes: { [config] in config.settings(for: $0).maxPayloadBytes },
      checkOnChain: { [mailbox = base.chain?.mailbox] (task) async throws(Rejection) in
        try await mailbox?.check(task)
      })
    let transmitter = ResultTransmitter(store: base.store, metrics: base.streamMetrics)
    var recent = RecentOutcomes<TaskOutcome>.Limits()
    recent.age = config.storeKeeping.retention.milliseconds
    let inFlight = InFlightTasks(recent: recent, clock: clock) { transmitter.settled($0, $1) }
    let journal = TaskJournal(store: base.store, clock: clock) { id, error in
      inFlight.dismissCallers(of: id, with: .interrupted(.outcomeNotWritten(error.description)))
    }
    return TaskState(
      operatorSets: operatorSets, onChain: onChain, validator: validator,
      queue: TaskQueue(limits: config.queue, weights: config.weights) { metrics.queue($0) }, transmitter: transmitter,
      inFlight: inFlight, journal: journal)
  }

  /// What takes a task from the queue to its answer.
  private struct TaskProcessing {
    let roster: PerformerRoster
    let running: RunningTasks
    let outbox: ResultOutbox
    let answers: StoredAnswers
    let pipeline: TaskPipeline
  }

  private func processing(of tasks: TaskState, _ keys: KeyRing, _ base: Infrastructure) -> TaskProcessing {
    let (queue, journal, inFlight) = (tasks.queue, tasks.journal, tasks.inFlight)
    let (metrics, clock) = (base.metrics, base.clock)
    let roster = PerformerRoster(rules: rosterRules(metrics), clock: clock) { queue.slotsChanged(of: $0) }
    let outbox = ResultOutbox(journal: journal, inFlight: inFlight, metrics: metrics, clock: clock)
    let signing = SigningService(
      keys: keys, operatorAddress: config.identity.address, ecdsaVerifier: config.chain.ecdsaCertificateVerifier,
      verifier: base.verifier, journal: journal, metrics: metrics, audit: base.audit)
    let running = RunningTasks()
    let recovery = RunRecovery(
      journal: journal, queue: queue, outbox: outbox, inFlight: inFlight, running: running, metrics: metrics, clock: clock,
      logger: logger)
    let pipeline = base.failpoints.watching(
      TaskPipeline(
        journal: journal, roster: roster, runner: TaskRunner(clock: clock), signing: signing, outbox: outbox,
        recovery: recovery, running: running, metrics: metrics, clock: clock,
        rules: { [config] in config.settings(for: $0).responseRules }))
    return TaskProcessing(
      roster: roster, running: running, outbox: outbox,
      answers: StoredAnswers(journal: journal, signing: signing, metrics: metrics, logger: logger), pipeline: pipeline)
  }

  private func performers(in docker: DockerClient, _ base: Infrastructure, _ processing: TaskProcessing) -> PerformerService {
    let (failpoints, metrics) = (base.failpoints, base.metrics)
    return PerformerService(
      docker: docker, store: base.store, roster: processing.roster, configured: config.avs.compactMap(\.performer),
      allotments: config.allotments, settings: performerSettings, executorEnvironment: environment,
      observe: { metrics.observe($0) },
      connect: { endpoint in
        failpoints.pass(.performersConnecting)
        return try PerformerConnector.connect(endpoint)
      }, logger: logger)
  }

  /// What takes a submission from the wire to the queue.
  private struct TaskIntake {
    let admission: Admission
    let unary: UnaryIntake
    let sessions: SessionRegistry
  }

  private func intake(
    to tasks: TaskState, _ processing: TaskProcessing, _ performers: PerformerService, _ keys: KeyRing, _ base: Infrastructure
  ) -> TaskIntake {
    let (failpoints, clock) = (base.failpoints, base.clock)
    let (queue, transmitter) = (tasks.queue, tasks.transmitter)
    let limiter = SubmissionLimiter(limits: config.submissionLimits, clock: clock)
    let gate = IntakeGate()
    let acceptance = TaskAcceptance(
      gate: gate, journal: tasks.journal, queue: queue, inFlight: tasks.inFlight, answers: processing.answers, limiter: limiter,
      metrics: base.metrics, audit: base.audit, clock: clock,
      timeout: { [config] avs in
        failpoints.pass(.intakeReserved)
        return config.settings(for: avs).taskTimeout
      },
      readiness: { avs in
        failpoints.pass(.intakeVerified)
        return performers.obstacle(for: avs)
      })
    let admission = Admission(
      gate: gate, validator: tasks.validator, inFlight: tasks.inFlight, queue: queue, limiter: limiter, acceptance: acceptance,
      metrics: base.metrics)
    let aggregators = config.avs.map { ($0.address, $0.registry?.aggregators.count ?? 1) }
    let sessions = SessionRegistry(
      settings: config.streams.sessionSettings,
      dependencies: SessionDependencies(
        operatorAddress: config.identity.address,
        authenticator: AggregatorAuthenticator(registry: tasks.operatorSets, keys: keys, verifier: base.verifier),
        intake: StreamIntake(admission: admission, answers: processing.answers, transmitter: transmitter),
        canceller: TaskCanceller(
          queue: queue, running: processing.running, inFlight: tasks.inFlight, outbox: processing.outbox,
          journal: tasks.journal, logger: logger),
        transmitter: transmitter,
        credit: CreditPool(
          aggregators: Dictionary(aggregators, uniquingKeysWith: { first, _ in first }), room: { queue.room(avs: $0) }),
        metrics: base.streamMetrics, clock: clock, logger: logger))
    return TaskIntake(admission: admission, unary: UnaryIntake(admission: admission), sessions: sessions)
  }

  private func ports(
    for intake: TaskIntake, _ performers: PerformerService, _ keys: KeyRing, _ base: Infrastructure, _ health: HealthPublisher
  ) -> GRPCPorts {
    let clock = base.clock
    let authenticator = ManagementAuthenticator(
      isEnabled: config.managementAuthentication, operatorAddress: config.identity.address,
      tokens: ChallengeTokens(unixSeconds: { clock.unix() / 1000 }), key: keys.managementKey)
    return GRPCPorts(
      config: config, submit: SubmitTaskHandler(intake: intake.unary), streams: TaskStreamHandler(sessions: intake.sessions),
      management: ManagementHandler(
        authenticator: authenticator, performers: performers,
        deployments: DeployRequest.Rules(
          configuration: { [config] in config.avs($0) }, sharedVariables: config.management.sharedVariables), logger: logger),
      principals: PrincipalInterceptor(authenticator: authenticator, allowsRemote: config.management.allowsRemote),
      health: health,
      interceptors: [MetricsInterceptor(registry: base.registry)] + base.failpoints.interceptors, logger: logger)
  }

  private func armedFailpoints() throws(FailpointError) -> Failpoints {
    let failpoints = try Failpoints(environment: environment)
    if failpoints.isArmed {
      logger.warning(
        "this process will end itself at a failpoint, as if it crashed; that is for tests only",
        metadata: [LogKey.failpoint: "\(environment[Failpoints.variable] ?? "")"])
    }
    return failpoints
  }

  /// A performer that is replaced may finish the longest task it can have.
  private var performerSettings: PerformerSettings {
    var settings = PerformerSettings(networkName: config.performerNetworkName)
    settings.drainLimit = config.avs.map(\.taskTimeout).reduce(settings.drainLimit, max)
    return settings
  }

  private func rosterRules(_ metrics: ExecutorMetrics) -> PerformerRoster.Rules {
    PerformerRoster.Rules(
      balancing: { [config] in config.settings(for: $0).balancing },
      breaker: { [config] in config.settings(for: $0).circuitBreaker },
      breakerOpened: { [logger] avs, performerID in
        metrics.breakerOpened(avs)
        logger.warning(
          "a performer fails its tasks: its circuit breaker is open, and it gets none for a while",
          metadata: [LogKey.performerID: "\(performerID)", LogKey.avs: "\(avs)"])
      })
  }

  private func run(_ services: [any Service]) async throws {
    var configuration = ServiceGroupConfiguration(
      services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = Self.drainLimit + .seconds(20)
    try await ServiceGroup(configuration: configuration).run()
    logger.notice("stopped")
  }

  /// What keeps the store small, sound and backed up.
  private func storeServices(
    _ store: any ExecutorStore, statistics: @escaping @Sendable () -> StoreStatistics, condition: StoreCondition,
    metrics: ExecutorMetrics
  ) -> [any Service] {
    var services: [any Service] = [
      StoreProbe(store: store, statistics: statistics, logger: logger),
      StoreMaintenance(
        store: store, retention: config.storeKeeping.retention, digestRetention: config.storeKeeping.digestRetention,
        logger: logger),
      StoreCheckService(store: store, condition: condition, observe: { metrics.store($0) }, logger: logger),
    ]
    if case .sqlite(let path) = config.storage, let backup = config.storeKeeping.backup {
      services.append(
        BackupService(
          database: path, settings: .init(directory: backup.directory, interval: backup.interval, keep: backup.keep),
          observe: { metrics.store($0) }, logger: logger))
    }
    return services
  }

  /// The store, and what tells how it is.
  private func openStore(
    metrics: ExecutorMetrics, failpoints: Failpoints
  ) throws(StoreError) -> (any ExecutorStore, @Sendable () -> StoreStatistics) {
    switch config.storage {
    case .memory:
      return (failpoints.watching(try MemoryStore(claiming: config.memoryInstallationID)), { StoreStatistics() })
    case .sqlite(let path):
      let store = try SQLiteStore.open(
        path: path, failpoints: failpoints, onCommit: { metrics.storeCommit($0) },
        onCheckpointFailure: { metrics.storeCheckpointFailed() })
      failpoints.pass(.startOpened)
      return (failpoints.watching(store), { store.statistics })
    }
  }
}
