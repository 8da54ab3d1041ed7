import GRPCCore
import Logging
import PonosAPI
import PonosCore
import PonosStore
import PonosSystem
import PonosTelemetry
import Synchronization

/// What sessions need of the daemon.
package struct SessionDependencies: Sendable {
  let operatorAddress: EthereumAddress
  let authenticator: AggregatorAuthenticator
  let receiver: TaskReceiver
  let canceller: TaskCanceller
  let transmitter: ResultTransmitter
  let credit: CreditOffice
  let metrics: StreamMetrics
  let clock: TaskClock
  let logger: Logger

  package init(
    operatorAddress: EthereumAddress, authenticator: AggregatorAuthenticator, receiver: TaskReceiver,
    canceller: TaskCanceller, transmitter: ResultTransmitter, credit: CreditOffice, metrics: StreamMetrics, clock: TaskClock,
    logger: Logger
  ) {
    self.operatorAddress = operatorAddress
    self.authenticator = authenticator
    self.receiver = receiver
    self.canceller = canceller
    self.transmitter = transmitter
    self.credit = credit
    self.metrics = metrics
    self.clock = clock
    self.logger = logger
  }
}

/// A session with an aggregator on a stream, whoever dialled: moves messages between the stream and the state machine, and does what
/// the machine asks for.
package final class AggregatorSession: Sendable {
  package typealias Machine = AggregatorSessionStateMachine<StreamAnswer>

  private struct State {
    var machine: Machine
    var account: CreditAccount?
    /// Whom the session is with, since that was proven; also after its end, when what was asked before is still done.
    var party: StreamParty?
    /// Whether the party's outcomes come here.
    var isAttached = false
    var end: SessionEnd?
  }

  /// Short messages that may wait for a peer that reads slowly, before we stop listening to it.
  private static let maxUnwritten = 1024
  /// Tasks whose standing takes as much room as a short message.
  private static let standingsPerMessage = 4
  /// Bytes of an outcome that take as much room as a short message.
  private static let bytesPerMessage = 16 << 10
  /// Short requests of the peer in work beside its submissions, which credit bounds, before we stop listening to it.
  private static let maxRequests = 64
  /// Ids of a request that are as much work as a short one.
  private static let idsPerRequest = 64
  /// How long last words may take to leave.
  private static let farewell = Duration.seconds(1)

  let number: UInt64
  private let dialledByUs: Bool
  private let dependencies: SessionDependencies
  private let tick: Duration
  private let state: Mutex<State>
  private let outlet = StreamOutlet<Ponos_V1_ExecutorMessage>(limit: maxUnwritten)
  private let work: AsyncStream<Machine.Action>
  private let workContinuation: AsyncStream<Machine.Action>.Continuation
  private let requests = StreamBacklog(limit: maxRequests)
  /// Finished with the session.
  private let life: AsyncStream<Never>
  private let lifeContinuation: AsyncStream<Never>.Continuation

  /// - Parameters:
  ///   - number: Tells it from every other session of the process.
  ///   - wanted: Whom we dialled; nil where an aggregator dialled us.
  init(number: UInt64, wanted: StreamParty?, settings: Machine.Settings, dependencies: SessionDependencies) {
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
    (life, lifeContinuation) = AsyncStream.makeStream()
  }

  /// Ends the session, for a reason from outside.
  func end(_ reason: SessionEnd) {
    handle(.end(reason))
  }

  /// Writes what the session says, until its end. Runs beside `run`.
  func write(to writer: RPCWriter<Ponos_V1_ExecutorMessage>) async {
    do { try await outlet.write(to: writer) } catch {
      handle(.end(.disconnected("it could not be written to (\(error))")))
    }
  }

  /// The stream is there, or about to be: the time for the handshake begins.
  func open() {
    handle(.opened)
  }

  /// Returns when the session is over and its last words have had their time to leave, or when cancelled.
  func lapsed() async {
    for await _ in life {}
    try? await Task.sleep(for: Self.farewell)
  }

  /// Reads and works until the session's end. Needs `write` and `beat` beside it.
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
    // When the task was cancelled rather than the session ended.
    handle(.end(.stopping))
    await sayFarewell()
  }

  // MARK: Events

  /// Every change of the machine, and every message in the order of these changes.
  private func handle(_ event: Machine.Event) {
    let now = dependencies.clock.monotonic()
    state.withLock { state in
      var actions = state.machine.handle(event, now: now)[...]
      while let action = actions.popFirst() {
        if case .takeCredit(let wanted) = action {
          let count = credit(wanted, &state)
          actions += state.machine.handle(.granted(count), now: now)
        } else {
          carryOut(action, &state)
        }
      }
    }
  }

  /// What takes no time is done at once, the rest is handed to `run`.
  private func carryOut(_ action: Machine.Action, _ state: inout State) {
    switch action {
    case .send(let message):
      if let party = state.party { count(message, of: party) }
      outlet.say(message.wire, weight: Self.weight(of: message))
    case .giveBackCredit(let count): state.account?.giveBack(count)
    case .close(let end):
      state.end = end
      outlet.finish()
      workContinuation.finish()
      lifeContinuation.finish()
    case .takeCredit: break
    case .attach(let party):
      state.party = party
      hand(action)
    case .authenticate, .admit, .fetch, .acknowledge, .cancel, .reconcile: hand(action)
    }
  }

  private func count(_ message: ExecutorMessage<StreamAnswer>, of party: StreamParty) {
    switch message {
    case .outcome: dependencies.metrics.sent(party.avs)
    // All others the receiver counts.
    case .refusal(let refusal) where StreamRefusal.sessionCodes.contains(refusal.code):
      dependencies.receiver.countRefused(party.avs, code: refusal.code)
    default: break
    }
  }

  /// An outcome weighs what it takes: a peer that acknowledges what it has not read makes room in the machine's window, not in memory.
  static func weight(of message: ExecutorMessage<StreamAnswer>) -> Int {
    switch message {
    case .standings(let standings): 1 + standings.count / standingsPerMessage
    case .outcome(_, let answer): 1 + answer.byteCount / bytesPerMessage
    default: 1
    }
  }

  /// What a request makes the one writer of the store do. One reconciliation at a time: nothing more is read until it is answered.
  static func weight(of action: Machine.Action) -> Int {
    switch action {
    case .admit: 0
    case .reconcile: maxRequests
    case .acknowledge(let ids): 1 + ids.count / idsPerRequest
    default: 1
    }
  }

  private func hand(_ action: Machine.Action) {
    requests.enter(weight: Self.weight(of: action))
    workContinuation.yield(action)
  }

  private func credit(_ wanted: Int, _ state: inout State) -> Int {
    guard dependencies.receiver.obstacle == nil, let party = state.party else { return 0 }
    let account = state.account ?? CreditAccount(office: dependencies.credit, avs: party.avs)
    state.account = account
    return account.take(upTo: wanted)
  }

  private func read(_ messages: RPCAsyncSequence<Ponos_V1_AggregatorMessage, any Error>) async {
    do {
      for try await message in messages {
        handle(.received(try AggregatorMessage(wire: message)))
        // A peer that does not read, or asks faster than we answer, is not listened to meanwhile.
        await outlet.room()
        await requests.room()
        // The session is over: a peer that goes on sending does not keep it.
        if Task.isCancelled { return }
      }
      handle(.end(.disconnected("the peer closed the stream")))
    } catch let error as StreamWireError {
      handle(.end(.violation(error.message)))
    } catch {
      handle(.end(.disconnected("\(error)")))
    }
  }

  /// Lets time pass for the session, until cancelled.
  func beat() async {
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
    case .attach(let party): attach(to: party)
    case .admit(let submission): await admit(submission)
    case .fetch(let excluded, let limit, let bytes): await fetch(excluding: excluded, limit: limit, bytes: bytes)
    case .acknowledge(let ids): await acknowledge(ids)
    case .cancel(let id):
      guard let party else { return }
      handle(.cancellationEnded(id, await dependencies.canceller.cancel(id, for: party)))
    case .reconcile(let ids): await reconcile(ids)
    case .send, .takeCredit, .giveBackCredit, .close: break
    }
  }

  private var party: StreamParty? { state.withLock { $0.party } }

  private func attach(to party: StreamParty) {
    dependencies.metrics.established(party.avs, dialledByUs: dialledByUs)
    dependencies.logger.info("session established", metadata: metadata(of: party))
    let line = ResultTransmitter.Line(
      number: number, finished: { [self] in handle(.finished($0)) }, interrupted: { [self] in handle(.interrupted($0)) },
      resultsWait: { [self] in handle(.resultsWait) }, supersede: { [self] in end(.superseded) })
    state.withLock { $0.isAttached = true }
    dependencies.transmitter.attach(line, to: party)
    handle(.attached)
  }

  private func admit(_ submission: StreamSubmission) async {
    let task: TaskSubmission
    do throws(Rejection) { task = try submission.task.get() } catch {
      dependencies.receiver.countMalformed(error)
      return handle(.refused(StreamRefusal(error, idText: submission.idText)))
    }
    guard let party, task.aggregator == party.aggregator, task.operatorSet.avs == party.avs else {
      return handle(
        .refused(
          StreamRefusal(
            idText: submission.idText, code: StreamRefusal.wrongSession,
            message: "the task is of another aggregator or AVS than the session", retryAfter: nil)))
    }
    do throws(Rejection) {
      let standing = try await dependencies.receiver.receive(task)
      handle(.admitted(idText: submission.idText))
      if standing == .finished { handle(.resultsWait) }
    } catch {
      handle(.refused(StreamRefusal(error, idText: submission.idText)))
    }
  }

  private func fetch(excluding excluded: Set<TaskID>, limit: Int, bytes: Int) async {
    guard let party else { return }
    do throws(StoreError) {
      let (outcomes, isAll) = try await dependencies.transmitter.waiting(
        for: party, excluding: excluded, limit: limit, bytes: bytes)
      handle(.fetched(outcomes, isAll: isAll))
    } catch {
      log(error, "outcomes that wait could not be read; it is tried again", party)
      handle(.fetchFailed)
    }
  }

  private func acknowledge(_ ids: [TaskID]) async {
    guard let party else { return }
    do throws(StoreError) {
      try await dependencies.transmitter.acknowledge(ids, by: party)
      handle(.acknowledged(ids))
    } catch {
      log(error, "acknowledged outcomes could not be taken out of the outbox; they are sent again", party)
      handle(.acknowledgementFailed(ids))
    }
  }

  private func reconcile(_ ids: [TaskID]) async {
    guard let party else { return }
    do throws(StoreError) { handle(.reconciled(try await dependencies.transmitter.expect(ids, by: party))) } catch {
      log(error, "where tasks stand could not be found out", party)
      // The peer asks again in its next session.
      handle(.end(.unavailable(code: "store_unavailable", message: "the store does not answer")))
    }
  }

  private func log(_ error: StoreError, _ message: Logger.Message, _ party: StreamParty) {
    var metadata = metadata(of: party)
    metadata[LogKey.error] = "\(error)"
    dependencies.logger.warning(message, metadata: metadata)
  }

  private func metadata(of party: StreamParty) -> Logger.Metadata {
    [LogKey.aggregator: "\(party.aggregator)", LogKey.avs: "\(party.avs)", LogKey.session: "\(number)"]
  }

  // MARK: The end

  /// Whether the session came about.
  var wasEstablished: Bool { party != nil }

  /// Whom the session is with, as long as it lasts.
  var currentParty: StreamParty? { state.withLock { $0.end == nil ? $0.party : nil } }

  /// Whether it is with somebody who dialled us and has not proven anything.
  var isStranger: Bool { !dialledByUs && !wasEstablished }

  private func sayFarewell() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.outlet.emptied() }
      group.addTask { try? await Task.sleep(for: Self.farewell) }
      await group.next()
      group.cancelAll()
    }
  }

  /// Gives up what the session had, once nobody works for it any more. Returns how it ended.
  func conclude() -> SessionEnd {
    handle(.end(.stopping))
    let (end, account, isAttached) = state.withLock { ($0.end ?? .stopping, $0.account, $0.isAttached) }
    account?.close()
    dependencies.metrics.ended(code: end.code)
    var metadata: Logger.Metadata = [LogKey.session: "\(number)"]
    if let party, isAttached {
      metadata = self.metadata(of: party)
      dependencies.transmitter.detach(number, from: party)
      dependencies.metrics.disestablished(party.avs, dialledByUs: dialledByUs)
    }
    metadata[LogKey.code] = "\(end.code)"
    dependencies.logger.info("session ended: \(end.message)", metadata: metadata)
    return end
  }
}

extension Digest32 {
  /// 32 bytes nobody can foresee.
  package static func random() -> Digest32 {
    var generator = SystemRandomNumberGenerator()
    return Digest32(unchecked: (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
  }
}
