import GRPCCore
import Logging
import PonosAPI
import PonosCore
import PonosStore
import PonosSystem
import PonosTelemetry
import Synchronization

/// The parts of the daemon that sessions use.
package struct SessionDependencies: Sendable {
  let operatorAddress: EthereumAddress
  let authenticator: AggregatorAuthenticator
  let intake: StreamIntake
  let canceller: TaskCanceller
  let transmitter: ResultTransmitter
  let credit: CreditPool
  let metrics: StreamMetrics
  let clock: TaskClock
  let logger: Logger

  package init(
    operatorAddress: EthereumAddress, authenticator: AggregatorAuthenticator, intake: StreamIntake,
    canceller: TaskCanceller, transmitter: ResultTransmitter, credit: CreditPool, metrics: StreamMetrics, clock: TaskClock,
    logger: Logger
  ) {
    self.operatorAddress = operatorAddress
    self.authenticator = authenticator
    self.intake = intake
    self.canceller = canceller
    self.transmitter = transmitter
    self.credit = credit
    self.metrics = metrics
    self.clock = clock
    self.logger = logger
  }
}

/// A session with an aggregator on a stream, whichever end dialled: moves messages between the stream and the state machine, and
/// carries out the machine's actions.
package final class AggregatorSession: Sendable {
  package typealias Machine = AggregatorSessionStateMachine<StreamAnswer>

  private struct State {
    var machine: Machine
    var credit: SessionCredit?
    /// Whose tasks the session carries; nil until the aggregator has proven it. Stays after the session's end, for work in
    /// progress.
    var owner: TaskOwner?
    /// Whether the session subscribes to the owner's outcomes.
    var isAttached = false
    var end: SessionEnd?
  }

  /// Short messages that may wait to be written before we stop reading from the peer.
  private static let maxUnwritten = 1024
  /// Standings of tasks that weigh as much as a short message.
  private static let standingsPerMessage = 4
  /// Bytes of an outcome that weigh as much as a short message.
  private static let bytesPerMessage = 16 << 10
  /// Requests other than submissions that may be in progress before we stop reading. Submissions are bounded by credit.
  private static let maxRequests = 64
  /// Ids of a request that weigh as much as a request without ids.
  private static let idsPerRequest = 64
  /// How long the last messages of an ended session may take to leave.
  private static let flushLimit = Duration.seconds(1)

  let number: UInt64
  private let dialledByUs: Bool
  private let dependencies: SessionDependencies
  private let tick: Duration
  private let state: Mutex<State>
  private let outbound = OutboundQueue<Ponos_V1_ExecutorMessage>(limit: maxUnwritten)
  private let work: AsyncStream<Machine.Action>
  private let workContinuation: AsyncStream<Machine.Action>.Continuation
  private let requests = WeightedLimit(limit: maxRequests)
  /// Finished with the session.
  private let ended: AsyncStream<Never>
  private let endedContinuation: AsyncStream<Never>.Continuation

  /// - Parameters:
  ///   - number: Tells it from every other session of the process.
  ///   - wanted: Whom we dialled; nil where an aggregator dialled us.
  init(number: UInt64, wanted: TaskOwner?, settings: Machine.Settings, dependencies: SessionDependencies) {
    self.number = number
    self.dependencies = dependencies
    dialledByUs = wanted != nil
    let hello = ExecutorHello(
      challenge: .random(), executor: dependencies.operatorAddress, session: .random(), heartbeat: settings.heartbeat,
      wanted: wanted)
    state = Mutex(State(machine: Machine(hello: hello, settings: settings)))
    // Often enough that two heartbeats are noticed as two, and credit comes soon after room.
    tick = .milliseconds(max(5, min(settings.heartbeat / 8, 200)))
    (work, workContinuation) = AsyncStream.makeStream()
    (ended, endedContinuation) = AsyncStream.makeStream()
  }

  /// Ends the session, for a reason from outside.
  func end(_ reason: SessionEnd) {
    handle(.end(reason))
  }

  /// Writes the session's messages to the stream, until its end. Runs beside `run`.
  func write(to writer: RPCWriter<Ponos_V1_ExecutorMessage>) async {
    do { try await outbound.write(to: writer) } catch {
      handle(.end(.disconnected("it could not be written to (\(error))")))
    }
  }

  /// Starts the time for the handshake: the stream is open, or about to be.
  func open() {
    handle(.opened)
  }

  /// Returns when the session is over and its last messages had time to leave, or when cancelled.
  func hasEnded() async {
    for await _ in ended {}
    try? await Task.sleep(for: Self.flushLimit)
  }

  /// Reads and works until the session's end. Needs `write` and `runClock` beside it.
  func run(reading messages: RPCAsyncSequence<Ponos_V1_AggregatorMessage, any Error>) async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.read(messages) }
      for await action in work {
        group.addTask {
          await self.perform(action)
          self.requests.leave(weight: Self.weight(of: action))
        }
      }
      group.cancelAll()
    }
    // Ends the session if it was the task that was cancelled.
    handle(.end(.stopping))
    await flush()
  }

  // MARK: Events

  /// Changes the machine and enqueues its messages in one step, so that messages leave in the order of the changes.
  private func handle(_ event: Machine.Event) {
    let now = dependencies.clock.monotonic()
    state.withLock { state in
      var actions = state.machine.handle(event, now: now)[...]
      while let action = actions.popFirst() {
        if case .takeCredit(let wanted) = action {
          let count = takeCredit(wanted, &state)
          actions += state.machine.handle(.granted(count), now: now)
        } else {
          carryOut(action, &state)
        }
      }
    }
  }

  /// Carries out what takes no time, and hands the rest to `run`.
  private func carryOut(_ action: Machine.Action, _ state: inout State) {
    switch action {
    case .send(let message):
      if let owner = state.owner { count(message, of: owner) }
      outbound.enqueue(message.wire, weight: Self.weight(of: message))
    case .giveBackCredit(let count): state.credit?.giveBack(count)
    case .close(let end):
      state.end = end
      outbound.finish()
      workContinuation.finish()
      endedContinuation.finish()
    case .takeCredit: break
    case .attach(let owner):
      state.owner = owner
      enqueue(action)
    case .authenticate, .admit, .fetch, .acknowledge, .cancel, .reconcile: enqueue(action)
    }
  }

  private func count(_ message: ExecutorMessage<StreamAnswer>, of owner: TaskOwner) {
    switch message {
    case .outcome: dependencies.metrics.sent(owner.avs)
    // All others are counted at admission.
    case .refusal(let refusal) where StreamRefusal.sessionCodes.contains(refusal.code):
      dependencies.intake.admission.countRefused(owner.avs, code: refusal.code)
    default: break
    }
  }

  /// An outcome weighs by its size: a peer that acknowledges outcomes unread makes room in the machine's window, not in memory.
  static func weight(of message: ExecutorMessage<StreamAnswer>) -> Int {
    switch message {
    case .standings(let standings): 1 + standings.count / standingsPerMessage
    case .outcome(_, let answer): 1 + answer.byteCount / bytesPerMessage
    default: 1
    }
  }

  /// A request weighs by the work it makes for the store's one writer. A reconciliation weighs the whole limit: nothing more is
  /// read until it is answered.
  static func weight(of action: Machine.Action) -> Int {
    switch action {
    case .admit: 0
    case .reconcile: maxRequests
    case .acknowledge(let ids): 1 + ids.count / idsPerRequest
    default: 1
    }
  }

  private func enqueue(_ action: Machine.Action) {
    requests.enter(weight: Self.weight(of: action))
    workContinuation.yield(action)
  }

  private func takeCredit(_ wanted: Int, _ state: inout State) -> Int {
    guard dependencies.intake.admission.obstacle == nil, let owner = state.owner else { return 0 }
    let credit = state.credit ?? SessionCredit(pool: dependencies.credit, avs: owner.avs)
    state.credit = credit
    return credit.take(upTo: wanted)
  }

  private func read(_ messages: RPCAsyncSequence<Ponos_V1_AggregatorMessage, any Error>) async {
    do {
      for try await message in messages {
        handle(.received(try AggregatorMessage(wire: message)))
        // A peer that does not read, or asks faster than we answer, has to wait.
        await outbound.room()
        await requests.room()
        // The session is over: a peer that goes on sending does not keep it open.
        if Task.isCancelled { return }
      }
      handle(.end(.disconnected("the peer closed the stream")))
    } catch let error as StreamWireError {
      handle(.end(.violation(error.message)))
    } catch {
      handle(.end(.disconnected("\(error)")))
    }
  }

  /// Tells the machine the time, until cancelled.
  func runClock() async {
    while !Task.isCancelled {
      do { try await Task.sleep(for: tick) } catch { return }
      handle(.tick)
    }
  }

  // MARK: Work

  private func perform(_ action: Machine.Action) async {
    switch action {
    case .authenticate(let theirs, let own, let proof):
      do throws(SessionFailure) {
        handle(.authenticated(proof: try await dependencies.authenticator.proof(to: theirs, own: own, theirs: proof)))
      } catch { handle(.end(error.end)) }
    case .attach(let owner): attach(to: owner)
    case .admit(let submission): await admit(submission)
    case .fetch(let excluded, let limit, let bytes): await fetch(excluding: excluded, limit: limit, bytes: bytes)
    case .acknowledge(let ids): await acknowledge(ids)
    case .cancel(let id):
      guard let owner else { return }
      handle(.cancellationEnded(id, await dependencies.canceller.cancel(id, for: owner)))
    case .reconcile(let ids): await reconcile(ids)
    case .send, .takeCredit, .giveBackCredit, .close: break
    }
  }

  private var owner: TaskOwner? { state.withLock { $0.owner } }

  private func attach(to owner: TaskOwner) {
    dependencies.metrics.established(owner.avs, dialledByUs: dialledByUs)
    dependencies.logger.info("session established", metadata: metadata(of: owner))
    let subscriber = ResultTransmitter.Subscriber(
      number: number, finished: { [self] in handle(.finished($0)) }, interrupted: { [self] in handle(.interrupted($0)) },
      resultsWait: { [self] in handle(.resultsWait) }, supersede: { [self] in end(.superseded) })
    state.withLock { $0.isAttached = true }
    dependencies.transmitter.attach(subscriber, to: owner)
    handle(.attached)
  }

  private func admit(_ submission: StreamSubmission) async {
    let task: TaskSubmission
    do throws(Rejection) { task = try submission.task.get() } catch {
      dependencies.intake.admission.countMalformed(error)
      return handle(.refused(StreamRefusal(error, idText: submission.idText)))
    }
    guard let owner, task.aggregator == owner.aggregator, task.operatorSet.avs == owner.avs else {
      return handle(
        .refused(
          StreamRefusal(
            idText: submission.idText, code: StreamRefusal.wrongSession,
            message: "the task is of another aggregator or AVS than the session", retryAfter: nil)))
    }
    do throws(Rejection) {
      let standing = try await dependencies.intake.receive(task)
      handle(.admitted(idText: submission.idText))
      if standing == .finished { handle(.resultsWait) }
    } catch {
      handle(.refused(StreamRefusal(error, idText: submission.idText)))
    }
  }

  private func fetch(excluding excluded: Set<TaskID>, limit: Int, bytes: Int) async {
    guard let owner else { return }
    do throws(StoreError) {
      let (outcomes, isAll) = try await dependencies.transmitter.waiting(
        for: owner, excluding: excluded, limit: limit, bytes: bytes)
      handle(.fetched(outcomes, isAll: isAll))
    } catch {
      log(error, "outcomes that wait could not be read; it is tried again", owner)
      handle(.fetchFailed)
    }
  }

  private func acknowledge(_ ids: [TaskID]) async {
    guard let owner else { return }
    do throws(StoreError) {
      try await dependencies.transmitter.acknowledge(ids, by: owner)
      handle(.acknowledged(ids))
    } catch {
      log(error, "acknowledged outcomes could not be taken out of the outbox; they are sent again", owner)
      handle(.acknowledgementFailed(ids))
    }
  }

  private func reconcile(_ ids: [TaskID]) async {
    guard let owner else { return }
    do throws(StoreError) { handle(.reconciled(try await dependencies.transmitter.expect(ids, by: owner))) } catch {
      log(error, "where tasks stand could not be found out", owner)
      // The peer reconciles again in its next session.
      handle(.end(.unavailable(code: "store_unavailable", message: "the store does not answer")))
    }
  }

  private func log(_ error: StoreError, _ message: Logger.Message, _ owner: TaskOwner) {
    var metadata = metadata(of: owner)
    metadata[LogKey.error] = "\(error)"
    dependencies.logger.warning(message, metadata: metadata)
  }

  private func metadata(of owner: TaskOwner) -> Logger.Metadata {
    [LogKey.aggregator: "\(owner.aggregator)", LogKey.avs: "\(owner.avs)", LogKey.session: "\(number)"]
  }

  // MARK: The end

  /// Whether the aggregator has proven who it is.
  var wasEstablished: Bool { owner != nil }

  /// Whose tasks the session carries, as long as it lasts.
  var currentOwner: TaskOwner? { state.withLock { $0.end == nil ? $0.owner : nil } }

  /// Whether the peer dialled us and has not proven who it is.
  var isUnauthenticated: Bool { !dialledByUs && !wasEstablished }

  private func flush() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.outbound.emptied() }
      group.addTask { try? await Task.sleep(for: Self.flushLimit) }
      await group.next()
      group.cancelAll()
    }
  }

  /// Gives up the session's credit and subscription, once all work for it has ended. Returns how the session ended.
  func conclude() -> SessionEnd {
    handle(.end(.stopping))
    let (end, credit, isAttached) = state.withLock { ($0.end ?? .stopping, $0.credit, $0.isAttached) }
    credit?.close()
    dependencies.metrics.ended(code: end.code)
    var metadata: Logger.Metadata = [LogKey.session: "\(number)"]
    if let owner, isAttached {
      metadata = self.metadata(of: owner)
      dependencies.transmitter.detach(number, from: owner)
      dependencies.metrics.disestablished(owner.avs, dialledByUs: dialledByUs)
    }
    metadata[LogKey.code] = "\(end.code)"
    dependencies.logger.info("session ended: \(end.message)", metadata: metadata)
    return end
  }
}

extension Digest32 {
  /// 32 unpredictable bytes.
  package static func random() -> Digest32 {
    var generator = SystemRandomNumberGenerator()
    return Digest32(unchecked: (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
  }
}
