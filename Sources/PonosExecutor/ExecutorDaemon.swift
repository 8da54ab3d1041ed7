import Foundation
import GRPCCore
import Logging
import PonosAPI
import PonosCore
import PonosCrypto
import PonosDocker
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
    let failpoints = try armedFailpoints()
    let clock = TaskClock.system
    let startedAt = clock.unix()
    let registry = PrometheusRegistry()
    let metrics = ExecutorMetrics(
      registry: registry, avs: config.avs.map(\.address), version: Self.version, started: Date())
    // Password hashes take seconds by design. What was accepted before comes back meanwhile, for which the curves are enough.
    async let decryptedKeys = KeyRing.load(config.identity)
    let (store, storeFailure) = try openStore(metrics: metrics, failpoints: failpoints)
    let storeCondition = StoreCondition()
    let audit = AuditLog(
      path: config.auditLogPath, logger: Logger(label: "ponos.audit"), now: clock.unix)

    // The pipeline, bottom-up.
    let queue = TaskQueue(limits: config.queue, weights: config.weights) { metrics.queue($0) }
    let roster = PerformerRoster(rules: rosterRules(metrics), clock: clock) { queue.slotsChanged(of: $0) }
    let streamMetrics = StreamMetrics(registry: registry, avs: config.avs.map(\.address))
    let transmitter = ResultTransmitter(store: store, metrics: streamMetrics)
    var recent = RecentOutcomes<TaskOutcome>.Limits()
    recent.age = config.storeKeeping.retention.milliseconds
    let flights = TaskFlights(recent: recent, clock: clock) { transmitter.settled($0, $1) }
    let journal = TaskJournal(store: store, clock: clock) { id, error in
      flights.dismissCallers(of: id, with: .interrupted(.outcomeNotWritten(error.description)))
    }
    let verifier = SignatureVerifier { metrics.signaturesChecked($0) }
    let operatorSets = try StaticOperatorSetRegistry(config.avs)
    let validator = TaskValidator(
      operatorAddress: config.identity.address, registry: operatorSets, verifier: verifier,
      signers: { [curves = config.identity.curves] in curves },
      maxPayloadBytes: { [config] in config.avs($0)?.maxPayloadBytes ?? TaskSubmission.maxPayloadBytes })
    try await StateRecovery(
      store: store, journal: journal, validator: validator, flights: flights, queue: queue, metrics: metrics, logger: logger
    ).recoverTasks()
    failpoints.pass(.startRecovered)
    let keys = try await decryptedKeys
    let outbox = ResultOutbox(journal: journal, flights: flights, metrics: metrics, clock: clock)
    let signing = SigningService(
      keys: keys, operatorAddress: config.identity.address, ecdsaVerifier: config.chain.ecdsaCertificateVerifier,
      verifier: verifier, journal: journal, metrics: metrics, audit: audit)
    let answers = StoredAnswers(journal: journal, signing: signing, metrics: metrics, logger: logger)
    let recovery = RunRecovery(
      journal: journal, queue: queue, outbox: outbox, flights: flights, metrics: metrics, clock: clock, logger: logger)
    let running = RunningTasks()
    let pipeline = failpoints.watching(
      TaskPipeline(
        journal: journal, roster: roster, runner: TaskRunner(clock: clock), signing: signing, outbox: outbox,
        recovery: recovery, running: running, metrics: metrics, clock: clock,
        rules: { [config] in config.avs($0)?.responseRules ?? .none }))

    // Performers.
    let docker = DockerClient(endpoint: try .fromEnvironment(environment))
    let performers = PerformerService(
      docker: docker, store: store, roster: roster,
      configured: config.avs.compactMap(\.performer),
      allotments: config.allotments,
      settings: performerSettings,
      executorEnvironment: environment, observe: { metrics.observe($0) },
      connect: { endpoint in
        failpoints.pass(.performersConnecting)
        return try PerformerConnector.connect(endpoint)
      }, logger: logger)

    // Intake.
    let receiver = TaskReceiver(
      validator: validator, journal: journal, queue: queue, flights: flights, answers: answers, metrics: metrics,
      audit: audit,
      timeout: { [config] avs in
        failpoints.pass(.intakeReserved)
        return config.avs(avs)?.taskTimeout ?? .seconds(90)
      },
      readiness: { avs in
        failpoints.pass(.intakeVerified)
        return PerformerReadiness.obstacle(
          for: avs, roster: roster, isTooLarge: performers.isTooLargeForHost(avs), isExpected: performers.mayServe(avs))
      },
      limiter: SubmissionLimiter(limits: config.submissionLimits, clock: clock), clock: clock,
      expectDelivery: { id, party throws(StoreError) in try await transmitter.expect(id, by: party) })
    let sessions = SessionDesk(
      settings: config.streams.sessionSettings,
      dependencies: SessionDependencies(
        operatorAddress: config.identity.address,
        authenticator: AggregatorAuthenticator(registry: operatorSets, keys: keys, verifier: verifier), receiver: receiver,
        canceller: TaskCanceller(
          queue: queue, running: running, flights: flights, outbox: outbox, journal: journal, logger: logger),
        transmitter: transmitter,
        credit: CreditOffice(
          aggregators: Dictionary(
            config.avs.map { ($0.address, $0.registry?.aggregators.count ?? 1) }, uniquingKeysWith: { first, _ in first }),
          room: { queue.room(avs: $0) }), metrics: streamMetrics, clock: clock, logger: logger))

    let view = DaemonView(
      config: config, startedAt: startedAt, clock: clock, store: store, storeFailure: storeFailure,
      storeCondition: storeCondition, queue: queue,
      flights: flights, roster: roster,
      performers: performers, receiver: receiver, metrics: metrics, installationID: try await store.installationID())
    registry.beforeScrape { view.publishGauges() }
    let ports = GRPCPorts(
      config: config, submit: SubmitTaskHandler(receiver: receiver), streams: TaskStreamHandler(desk: sessions),
      management: ManagementHandler(
        authenticator: ManagementAuthenticator(
          isEnabled: config.managementAuthentication, operatorAddress: config.identity.address,
          tokens: ChallengeTokens(unixSeconds: { clock.unix() / 1000 }), key: keys.managementKey?.verificationKey),
        performers: performers, configuration: { [config] in config.avs($0) }, logger: logger),
      isReady: { view.readiness().isReady }, interceptors: [MetricsInterceptor(registry: registry)] + failpoints.interceptors,
      logger: logger)

    // In start order; stopped in reverse.
    var services: [any Service] = storeServices(
      store, failure: storeFailure, condition: storeCondition, metrics: metrics)
    services += [
      OperationsServer(
        configuration: config.operations, registry: registry, readiness: { view.readiness() },
        state: { await view.state() }, logger: logger),
      ResourceSampler(registry: registry),
      performers,
      ContainerUsageSampler(
        performers: { performers.snapshots() },
        usage: { id throws(DockerError) in try await docker.usage(ofContainer: id) }, metrics: metrics, logger: logger),
      TaskService(queue: queue, roster: roster, pipeline: pipeline, clock: clock),
    ]
    services += ports.listeners
    services.append(TaskIntakeService(receiver: receiver, drainLimit: Self.drainLimit))
    services.append(AggregatorSessionService(desk: sessions, aggregators: config.aggregators, logger: logger))
    logger.notice(
      "starting",
      metadata: [
        "version": "\(Self.version)", "operator": "\(config.identity.address)",
        "openFiles": "\(OpenFileLimit.raise().map(String.init) ?? "unknown")",
      ])
    try await run(failpoints.watching(services))
    failpoints.pass(.stopServices)
    try await store.close()
    failpoints.pass(.stopStore)
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
    _ store: any ExecutorStore, failure: @escaping @Sendable () -> StoreError?, condition: StoreCondition,
    metrics: ExecutorMetrics
  ) -> [any Service] {
    var services: [any Service] = [
      StoreTrialService(store: store, failure: failure, logger: logger),
      StoreMaintenance(
        store: store, retention: config.storeKeeping.retention, digestRetention: config.storeKeeping.digestRetention,
        logger: logger),
      StoreCheckService(store: store, condition: condition, metrics: metrics, logger: logger),
    ]
    if case .sqlite(let path) = config.storage, let backup = config.storeKeeping.backup {
      services.append(BackupService(database: path, settings: backup, metrics: metrics, logger: logger))
    }
    return services
  }

  /// The store, and what tells why its last write failed.
  private func openStore(
    metrics: ExecutorMetrics, failpoints: Failpoints
  ) throws(StoreError) -> (any ExecutorStore & DeliveryStore, @Sendable () -> StoreError?) {
    switch config.storage {
    case .memory:
      return (failpoints.watching(try MemoryStore(for: config)), { nil })
    case .sqlite(let path):
      let store = try SQLiteStore.open(path: path, failpoints: failpoints, onCommit: { metrics.storeCommit($0) })
      failpoints.pass(.startOpened)
      return (failpoints.watching(store), { store.statistics.lastFailure })
    }
  }
}
