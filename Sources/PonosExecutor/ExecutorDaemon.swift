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

  /// - Parameter environment: The process environment; read for `DOCKER_HOST`, for variables that performers take from it, and,
  /// for
  ///   tests, for the failpoint at which to end.
  package init(config: ExecutorConfig, environment: [String: String], logger: Logger) {
    self.config = config
    self.environment = environment
    self.logger = logger
  }

  /// Runs until SIGTERM or SIGINT, or until a service fails.
  package func run() async throws {
    // Password hashes take seconds by design. What was accepted before comes back meanwhile, for which the curves are enough.
    async let decryptedKeys = KeyRing.load(config.identity)
    let ground = try ground()
    let book = try taskBook(on: ground)
    try await StateRecovery(
      store: ground.store, journal: book.journal, validator: book.validator, flights: book.flights, queue: book.queue,
      metrics: ground.metrics, logger: logger
    ).recoverTasks()
    ground.failpoints.pass(.startRecovered)
    let keys = try await decryptedKeys
    let execution = execution(of: book, keys, ground)
    let docker = DockerClient(endpoint: try .fromEnvironment(environment))
    let performers = performers(in: docker, ground, execution)
    let intake = intake(to: book, execution, performers, keys, ground)

    let view = DaemonView(
      version: Self.version, config: config, startedAt: ground.startedAt, clock: ground.clock, store: ground.store,
      storeStatistics: ground.storeStatistics,
      storeCondition: ground.storeCondition, queue: book.queue, flights: book.flights, roster: execution.roster,
      performers: performers, receiver: intake.receiver, metrics: ground.metrics,
      installationID: try await ground.store.installationID())
    ground.registry.beforeScrape { view.publishGauges() }

    // In start order; stopped in reverse.
    var services: [any Service] = storeServices(
      ground.store, statistics: ground.storeStatistics, condition: ground.storeCondition, metrics: ground.metrics)
    services += [
      OperationsServer(
        configuration: config.operations, registry: ground.registry, readiness: { view.readiness() },
        state: { await view.state() }, logger: logger),
      ResourceSampler(registry: ground.registry),
      performers,
      ContainerUsageSampler(
        running: { performers.runningContainers() },
        usage: { id throws(DockerError) in try await docker.usage(ofContainer: id) },
        observe: { [metrics = ground.metrics] in metrics.containerUsage($0) }, logger: logger),
      TaskService(queue: book.queue, roster: execution.roster, pipeline: execution.pipeline, clock: ground.clock),
    ]
    services += ports(for: intake, performers, keys, ground, view).listeners
    services.append(TaskIntakeService(receiver: intake.receiver, drainLimit: Self.drainLimit))
    services.append(AggregatorSessionService(desk: intake.sessions, aggregators: config.aggregators, logger: logger))
    logger.notice(
      "starting",
      metadata: [
        "version": "\(Self.version)", "operator": "\(config.identity.address)",
        "openFiles": "\(OpenFileLimit.raise().map(String.init) ?? "unknown")",
      ])
    try await run(ground.failpoints.watching(services))
    ground.failpoints.pass(.stopServices)
    try await ground.store.close()
    ground.failpoints.pass(.stopStore)
  }

  // MARK: Parts

  /// What all others stand on.
  private struct Ground {
    let failpoints: Failpoints
    let clock = TaskClock.system
    let startedAt: UnixMilliseconds
    let registry: PrometheusRegistry
    let metrics: ExecutorMetrics
    let streamMetrics: StreamMetrics
    /// Verifies the signatures of aggregators and our own.
    let verifier: SignatureVerifier
    let store: any ExecutorStore & DeliveryStore
    let storeStatistics: @Sendable () -> StoreStatistics
    let storeCondition = StoreCondition()
    let audit: AuditLog
  }

  private func ground() throws -> Ground {
    let failpoints = try armedFailpoints()
    let clock = TaskClock.system
    let registry = PrometheusRegistry()
    let avs = config.avs.map(\.address)
    let metrics = ExecutorMetrics(registry: registry, avs: avs, version: Self.version, started: Date())
    let (store, storeStatistics) = try openStore(metrics: metrics, failpoints: failpoints)
    return Ground(
      failpoints: failpoints, startedAt: clock.unix(), registry: registry, metrics: metrics,
      streamMetrics: StreamMetrics(registry: registry, avs: avs),
      verifier: SignatureVerifier { metrics.signaturesChecked($0) }, store: store, storeStatistics: storeStatistics,
      audit: AuditLog(path: config.auditLogPath, logger: Logger(label: "ponos.audit"), now: clock.unix))
  }

  /// Where accepted tasks are: on disk, in line, in flight; and what says which tasks may be accepted.
  private struct TaskBook {
    let operatorSets: StaticOperatorSetRegistry
    let validator: TaskValidator
    let queue: TaskQueue
    let transmitter: ResultTransmitter
    let flights: TaskFlights
    let journal: TaskJournal
  }

  private func taskBook(on ground: Ground) throws -> TaskBook {
    let (metrics, clock) = (ground.metrics, ground.clock)
    let operatorSets = try StaticOperatorSetRegistry(config.avs)
    let validator = TaskValidator(
      operatorAddress: config.identity.address, registry: operatorSets, verifier: ground.verifier,
      signers: { [curves = config.identity.curves] in curves },
      maxPayloadBytes: { [config] in config.avs($0)?.maxPayloadBytes ?? TaskSubmission.maxPayloadBytes })
    let transmitter = ResultTransmitter(store: ground.store, metrics: ground.streamMetrics)
    var recent = RecentOutcomes<TaskOutcome>.Limits()
    recent.age = config.storeKeeping.retention.milliseconds
    let flights = TaskFlights(recent: recent, clock: clock) { transmitter.settled($0, $1) }
    let journal = TaskJournal(store: ground.store, clock: clock) { id, error in
      flights.dismissCallers(of: id, with: .interrupted(.outcomeNotWritten(error.description)))
    }
    return TaskBook(
      operatorSets: operatorSets, validator: validator,
      queue: TaskQueue(limits: config.queue, weights: config.weights) { metrics.queue($0) }, transmitter: transmitter,
      flights: flights, journal: journal)
  }

  /// A task's way from the queue to the answer.
  private struct Execution {
    let roster: PerformerRoster
    let running: RunningTasks
    let outbox: ResultOutbox
    let answers: StoredAnswers
    let pipeline: TaskPipeline
  }

  private func execution(of book: TaskBook, _ keys: KeyRing, _ ground: Ground) -> Execution {
    let (queue, journal, flights) = (book.queue, book.journal, book.flights)
    let (metrics, clock) = (ground.metrics, ground.clock)
    let roster = PerformerRoster(rules: rosterRules(metrics), clock: clock) { queue.slotsChanged(of: $0) }
    let outbox = ResultOutbox(journal: journal, flights: flights, metrics: metrics, clock: clock)
    let signing = SigningService(
      keys: keys, operatorAddress: config.identity.address, ecdsaVerifier: config.chain.ecdsaCertificateVerifier,
      verifier: ground.verifier, journal: journal, metrics: metrics, audit: ground.audit)
    let running = RunningTasks()
    let recovery = RunRecovery(
      journal: journal, queue: queue, outbox: outbox, flights: flights, running: running, metrics: metrics, clock: clock,
      logger: logger)
    let pipeline = ground.failpoints.watching(
      TaskPipeline(
        journal: journal, roster: roster, runner: TaskRunner(clock: clock), signing: signing, outbox: outbox,
        recovery: recovery, running: running, metrics: metrics, clock: clock,
        rules: { [config] in config.avs($0)?.responseRules ?? .none }))
    return Execution(
      roster: roster, running: running, outbox: outbox,
      answers: StoredAnswers(journal: journal, signing: signing, metrics: metrics, logger: logger), pipeline: pipeline)
  }

  private func performers(in docker: DockerClient, _ ground: Ground, _ execution: Execution) -> PerformerService {
    let (failpoints, metrics) = (ground.failpoints, ground.metrics)
    return PerformerService(
      docker: docker, store: ground.store, roster: execution.roster, configured: config.avs.compactMap(\.performer),
      allotments: config.allotments, settings: performerSettings, executorEnvironment: environment,
      observe: { metrics.observe($0) },
      connect: { endpoint in
        failpoints.pass(.performersConnecting)
        return try PerformerConnector.connect(endpoint)
      }, logger: logger)
  }

  /// A task's way from the wire to the queue.
  private struct Intake {
    let receiver: TaskReceiver
    let sessions: SessionDesk
  }

  private func intake(
    to book: TaskBook, _ execution: Execution, _ performers: PerformerService, _ keys: KeyRing, _ ground: Ground
  ) -> Intake {
    let (failpoints, clock) = (ground.failpoints, ground.clock)
    let (queue, roster, transmitter) = (book.queue, execution.roster, book.transmitter)
    let receiver = TaskReceiver(
      validator: book.validator, journal: book.journal, queue: queue, flights: book.flights, answers: execution.answers,
      metrics: ground.metrics, audit: ground.audit,
      timeout: { [config] avs in
        failpoints.pass(.intakeReserved)
        return config.avs(avs)?.taskTimeout ?? .seconds(90)
      },
      readiness: { avs in
        failpoints.pass(.intakeVerified)
        return performers.obstacle(for: avs)
      },
      limiter: SubmissionLimiter(limits: config.submissionLimits, clock: clock), clock: clock,
      expectDelivery: { id, party throws(StoreError) in try await transmitter.expect(id, by: party) })
    let aggregators = config.avs.map { ($0.address, $0.registry?.aggregators.count ?? 1) }
    let sessions = SessionDesk(
      settings: config.streams.sessionSettings,
      dependencies: SessionDependencies(
        operatorAddress: config.identity.address,
        authenticator: AggregatorAuthenticator(registry: book.operatorSets, keys: keys, verifier: ground.verifier),
        receiver: receiver,
        canceller: TaskCanceller(
          queue: queue, running: execution.running, flights: book.flights, outbox: execution.outbox,
          journal: book.journal, logger: logger),
        transmitter: transmitter,
        credit: CreditOffice(
          aggregators: Dictionary(aggregators, uniquingKeysWith: { first, _ in first }), room: { queue.room(avs: $0) }),
        metrics: ground.streamMetrics, clock: clock, logger: logger))
    return Intake(receiver: receiver, sessions: sessions)
  }

  private func ports(
    for intake: Intake, _ performers: PerformerService, _ keys: KeyRing, _ ground: Ground, _ view: DaemonView
  ) -> GRPCPorts {
    let clock = ground.clock
    return GRPCPorts(
      config: config, submit: SubmitTaskHandler(receiver: intake.receiver), streams: TaskStreamHandler(desk: intake.sessions),
      management: ManagementHandler(
        authenticator: ManagementAuthenticator(
          isEnabled: config.managementAuthentication, operatorAddress: config.identity.address,
          tokens: ChallengeTokens(unixSeconds: { clock.unix() / 1000 }), key: keys.managementKey?.verificationKey),
        performers: performers, configuration: { [config] in config.avs($0) }, logger: logger),
      isReady: { view.readiness().isReady },
      interceptors: [MetricsInterceptor(registry: ground.registry)] + ground.failpoints.interceptors, logger: logger)
  }

  private func armedFailpoints() throws(FailpointError) -> Failpoints {
    let failpoints = try Failpoints(environment: environment)
    if failpoints.isArmed {
      logger.warning(
        "this process will end itself at a failpoint, as if it crashed; that is for tests only",
        metadata: ["failpoint": "\(environment[Failpoints.variable] ?? "")"])
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
      balancing: { [config] in config.avs($0)?.balancing ?? .leastOutstanding },
      breaker: { [config] in config.avs($0)?.circuitBreaker ?? .standard },
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
      StoreTrialService(store: store, statistics: statistics, logger: logger),
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
  ) throws(StoreError) -> (any ExecutorStore & DeliveryStore, @Sendable () -> StoreStatistics) {
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
