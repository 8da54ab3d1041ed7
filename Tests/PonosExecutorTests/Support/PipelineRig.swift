import Foundation
import Logging
import PonosAggregator
import PonosContainersTesting
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosStoreTesting
import PonosSystem
import PonosTesting
import SwiftProtobuf

@testable import PonosConfiguration
@testable import PonosContainers
@testable import PonosExecutor
@testable import PonosStore
@testable import PonosTelemetry

/// The whole task pipeline on a store of the test's choice, with a fake performer where the container would be.
struct PipelineRig: Sendable {
  static let operatorAddress = EthereumAddress(unchecked: [UInt8](repeating: 0x0a, count: 20))
  static let avs = EthereumAddress(unchecked: [UInt8](repeating: 0xa5, count: 20))
  /// Configured, but in another process: for tasks that a changed configuration no longer covers.
  static let otherAVS = EthereumAddress(unchecked: [UInt8](repeating: 0xb6, count: 20))
  static let ecdsaVerifier = EthereumAddress(unchecked: [UInt8](repeating: 0x0c, count: 20))

  let clock: TestClock
  let store: any ExecutorStore
  let registry = PrometheusRegistry()
  let metrics: ExecutorMetrics
  let queue: TaskQueue
  let roster: PerformerRoster
  let inFlight: InFlightTasks
  let streamMetrics: StreamMetrics
  let transmitter: ResultTransmitter
  let journal: TaskJournal
  let outbox: ResultOutbox
  let recovery: RunRecovery
  let running = RunningTasks()
  let canceller: TaskCanceller
  let audit: AuditLog
  let validator: TaskValidator
  let admission: Admission
  let unary: UnaryIntake
  let streams: StreamIntake
  let service: TaskService
  let stateRecovery: StateRecovery

  /// - Parameters:
  ///   - signers: The curves the executor has keys of.
  ///   - keys: Its signers, in place of the test keys of these curves.
  ///   - avs: The AVSs the configuration knows.
  ///   - submissions: Rates of each AVS.
  ///   - breaker: Of each performer; by default one that never opens.
  ///   - rules: What outputs must look like, of every AVS.
  ///   - recent: How many outcomes are kept in memory.
  ///   - wrap: What to put round the pipeline's stages.
  init(
    store: any ExecutorStore = MemoryStore(), clock: TestClock = TestClock(), limits: QueueConfig = QueueConfig(),
    queueBytes: Int = TaskQueue.maxBytes,
    timeout: Duration = .seconds(90), signers: [SignatureCurve] = SignatureCurve.allCases, keys: KeyRing? = nil,
    avs: [EthereumAddress] = [Self.avs], retries: RetryPolicy = RetryPolicy(firstDelay: .milliseconds(1)),
    submissions: SubmissionLimits = SubmissionLimits(), breaker: CircuitBreaker.Settings = .init(consecutiveFailures: nil),
    rules: ResponseRules = .none, recent: RecentOutcomes<TaskOutcome>.Limits = .init(),
    callerMemory: Int = Admission.callerMemory, auditLog: String? = nil, wrap: (TaskPipeline) -> TaskPipeline = { $0 }
  ) throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    self.clock = clock
    self.store = store
    let configs = avs.map(Self.config)
    metrics = ExecutorMetrics(registry: registry, avs: avs, version: "test", started: Date())
    let queue = TaskQueue(limits: limits, maxBytes: queueBytes) { [metrics] in metrics.queue($0) }
    let roster = PerformerRoster(rules: .init(breaker: { _ in breaker }), clock: clock.taskClock) {
      queue.slotsChanged(of: $0)
    }
    (self.queue, self.roster) = (queue, roster)
    streamMetrics = StreamMetrics(registry: registry, avs: avs)
    let transmitter = ResultTransmitter(store: store, metrics: streamMetrics)
    self.transmitter = transmitter
    inFlight = InFlightTasks(recent: recent, clock: clock.taskClock) { transmitter.settled($0, $1) }
    journal = TaskJournal(store: store, clock: clock.taskClock) { [inFlight] id, error in
      inFlight.dismissCallers(of: id, with: .interrupted(.outcomeNotWritten(error.description)))
    }
    outbox = ResultOutbox(journal: journal, inFlight: inFlight, metrics: metrics, clock: clock.taskClock)
    canceller = TaskCanceller(
      queue: queue, running: running, inFlight: inFlight, outbox: outbox, journal: journal, logger: logger)
    audit = AuditLog(path: auditLog, logger: logger, now: clock.taskClock.unix)
    let keys = keys ?? KeyRing(signers.map { TestKeys.executor($0) })
    let signing = SigningService(
      keys: keys, operatorAddress: Self.operatorAddress, ecdsaVerifier: Self.ecdsaVerifier, journal: journal,
      metrics: metrics, audit: audit)
    recovery = RunRecovery(
      policy: retries, journal: journal, queue: queue, outbox: outbox, inFlight: inFlight, running: running, metrics: metrics,
      clock: clock.taskClock, logger: logger)
    let pipeline = wrap(
      TaskPipeline(
        journal: journal, roster: roster, runner: TaskRunner(clock: clock.taskClock), signing: signing, outbox: outbox,
        recovery: recovery, running: running, metrics: metrics, clock: clock.taskClock, rules: { _ in rules }))
    validator = TaskValidator(
      operatorAddress: Self.operatorAddress, registry: try StaticOperatorSetRegistry(configs), signers: { _ in keys.curves })
    let answers = StoredAnswers(journal: journal, signing: signing, metrics: metrics, logger: logger)
    let limiter = SubmissionLimiter(
      limits: Dictionary(uniqueKeysWithValues: avs.map { ($0, submissions) }), clock: clock.taskClock)
    let gate = IntakeGate()
    let acceptance = TaskAcceptance(
      gate: gate, journal: journal, queue: queue, inFlight: inFlight, answers: answers, limiter: limiter, metrics: metrics,
      audit: audit, clock: clock.taskClock, timeout: { _ in timeout },
      readiness: { [roster] in
        PerformerReadiness(roster: roster, resources: HostResources()).obstacle(for: $0, isExpected: false)
      })
    admission = Admission(
      gate: gate, validator: validator, inFlight: inFlight, queue: queue, limiter: limiter, acceptance: acceptance,
      metrics: metrics, callerMemory: callerMemory)
    unary = UnaryIntake(admission: admission)
    streams = StreamIntake(admission: admission, answers: answers, transmitter: transmitter)
    service = TaskService(queue: queue, roster: roster, pipeline: pipeline, clock: clock.taskClock)
    stateRecovery = StateRecovery(
      store: store, journal: journal, validator: validator, inFlight: inFlight, queue: queue, metrics: metrics, logger: logger)
  }

  static func config(_ avs: EthereumAddress) -> AVSConfig {
    let aggregators = SignatureCurve.allCases.map { curve in
      let aggregator = TestAggregator.registered(curve)
      let key: StaticRegistryConfig.AggregatorKey =
        switch aggregator.key.verificationKey {
        case .ecdsa(let address): .ecdsa(signingAddress: address)
        case .bn254(let key): .bn254(publicKey: key.bytes)
        }
      return StaticRegistryConfig.Aggregator(address: aggregator.address, key: key)
    }
    var config = AVSConfig(address: avs)
    config.registry = StaticRegistryConfig(
      executorOperatorSets: [.init(id: 0, curve: .ecdsa), .init(id: 1, curve: .bn254)], aggregators: aggregators)
    return config
  }

  /// Opens intake and works on tasks while `body` runs.
  func run<Result: Sendable>(_ body: @Sendable (PipelineRig) async throws -> Result) async throws -> Result {
    admission.open()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await service.run() }
      defer { group.cancelAll() }
      return try await body(self)
    }
  }

  /// Puts `performer` in service for the AVS, `capacity` tasks at a time.
  func publish(_ performer: FakePerformer, id: String = "performer-1", capacity: Int = 8, avs: EthereumAddress = Self.avs) {
    roster.publish(.init(performerID: id, avs: avs, capacity: capacity, connection: performer))
  }

  /// A task for set 0 (ECDSA) or 1 (BN254).
  static func draft(_ payload: String = "work", set: UInt32 = 0, avs: EthereumAddress = Self.avs) -> SubmissionDraft {
    SubmissionDraft(avs: avs, executor: operatorAddress, operatorSetID: set, payload: payload)
  }

  /// The same, signed by the registered ECDSA aggregator and read from the wire.
  static func submission(
    _ draft: SubmissionDraft = draft(), by aggregator: TestAggregator = .registered(.ecdsa)
  ) throws -> TaskSubmission {
    try TaskSubmission(wire: try aggregator.sign(draft))
  }

  /// The row of a task whose signature nobody has made: what is recovered was verified before it was written.
  static func unverified(_ number: Int, payloadBytes: Int = 8, acceptedAt: UnixMilliseconds) throws -> AcceptedTaskRecord {
    let id = StoreRecords.taskID(number)
    let submission = TaskSubmission(
      id: id, idText: id.description, aggregator: operatorAddress, operatorSet: OperatorSet(avs: avs, id: 0),
      executor: operatorAddress, payload: [UInt8](repeating: 0x5a, count: payloadBytes),
      signature: [UInt8](repeating: 1, count: 65), referenceTimestamp: 1, taskBlockNumber: 1, version: 1)
    return AcceptedTaskRecord(
      id: id, contentHash: StoreRecords.digest(number), submission: try submission.wire.serializedBytes(),
      operatorSet: submission.operatorSet, aggregator: submission.aggregator, priority: 0, acceptedAt: acceptedAt,
      deadline: acceptedAt + 3_600_000)
  }

  /// Throws unless `result` answers `submission` and carries this executor's signatures.
  static func check(_ result: SignedResult, for submission: TaskSubmission) throws {
    let curve: SignatureCurve = submission.operatorSet.id == 0 ? .ecdsa : .bn254
    try ResultVerifier(
      operatorAddress: operatorAddress,
      registered: RegisteredKey(
        TestKeys.executor(curve).verificationKey, contract: ecdsaVerifier)
    ).check(result.wire(idText: submission.idText), for: submission.wire)
  }
}

extension RecentOutcomes.Limits {
  /// For tests of what the store answers.
  static var nothing: Self { Self(bytes: 0, count: 0, age: 0) }
}

extension TaskOutcome {
  var signed: SignedResult? {
    if case .signed(let result) = self { result } else { nil }
  }

  var failure: StoredFailure? {
    if case .failed(let failure) = self { failure } else { nil }
  }

  var refusal: Rejection? {
    if case .refused(let rejection) = self { rejection } else { nil }
  }

  var isInterrupted: Bool {
    if case .interrupted = self { true } else { false }
  }
}
