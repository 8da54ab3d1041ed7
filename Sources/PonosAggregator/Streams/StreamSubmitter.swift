import GRPCCore
import PonosAPI
import PonosCore
import PonosCrypto
import PonosExecutor
import PonosSystem
import Synchronization

/// The aggregator's end of task streams with one executor: submits tasks and waits for their outcomes, over as many connections as it
/// takes. For the command line, for benchmarks and for tests; the daemon has no use for it.
package final class StreamSubmitter: Sendable {
  package typealias Machine = ExecutorSessionStateMachine<StreamAnswer>

  /// Who submits, and to whom.
  package struct Identity: Sendable {
    package var owner: TaskOwner
    package var executor: EthereumAddress
    package var operatorSetID: UInt32
    /// The aggregator's key.
    package var key: SigningKey
    /// What the executor must prove to hold; nil believes any.
    package var executorKey: VerificationKey?

    package init(
      owner: TaskOwner, executor: EthereumAddress, operatorSetID: UInt32, key: SigningKey, executorKey: VerificationKey?
    ) {
      self.owner = owner
      self.executor = executor
      self.operatorSetID = operatorSetID
      self.key = key
      self.executorKey = executorKey
    }
  }

  /// How a submission ended.
  package enum Ending: Sendable, Equatable {
    case outcome(StreamAnswer)
    /// Not accepted, for good.
    case refused(StreamRefusal)
  }

  /// What can be watched.
  package enum Notice: Sendable {
    case established
    case receipt(TaskID)
    /// A message of the executor, before it is looked at.
    case message(ExecutorMessage<StreamAnswer>)
    case ended(SessionEnd)
  }

  /// How the wait for a submission's end was over.
  private enum Wait {
    case ended(Ending)
    /// The caller was cancelled.
    case cancelled
    /// Another caller waits for the same task.
    case taken
  }

  private struct State {
    var machine: Machine
    var connection: SubmitterConnection?
    var lastNumber: UInt64 = 0
    var isLeaving = false
    var callers = KeyedWaiters<TaskID, Wait>()
    var cancellations = KeyedWaiters<TaskID, CancellationResult?>()
  }

  private let identity: Identity
  private let tick: Duration
  /// Counts the streams that are held.
  private let sessions = WeightedLimit(limit: 1)
  private let state: Mutex<State>
  private let notify: @Sendable (Notice) -> Void

  package init(
    identity: Identity, settings: Machine.Settings = .init(), notify: @escaping @Sendable (Notice) -> Void = { _ in }
  ) {
    self.identity = identity
    self.notify = notify
    tick = .milliseconds(max(5, min(settings.heartbeat / 8, 20)))
    state = Mutex(
      State(
        machine: Machine(
          identity: .init(owner: identity.owner, executor: identity.executor, operatorSetID: identity.operatorSetID),
          settings: settings)))
  }

  /// Tasks submitted and not over.
  package var unfinished: Int { state.withLock { $0.machine.unfinished } }

  /// Submits a task and returns how it ended, over however many connections; nil when the caller was cancelled, or another one waits for
  /// the same task.
  package func submit(_ task: TaskSubmission) async -> Ending? {
    let submission = StreamSubmission(idText: task.idText, task: .success(task))
    let wait = await state.wait(
      in: \.callers, for: task.id, cancelled: .cancelled, unless: { $0.callers.contains(task.id) ? .taken : nil },
      registered: { handle(.submit(submission, id: task.id)) })
    switch wait {
    case .ended(let ending): return ending
    case .cancelled:
      handle(.forget(task.id))
      return nil
    case .taken: return nil
    }
  }

  /// Asks for a task not to be run; nil when there is no session, or it ends before the answer.
  package func cancel(_ id: TaskID) async -> CancellationResult? {
    await state.waitUncancelled(
      in: \.cancellations, for: id,
      unless: { state -> CancellationResult?? in
        state.machine.isEstablished && !state.cancellations.contains(id) ? nil : .some(nil)
      },
      registered: { handle(.cancel(id)) })
  }

  /// Ends the session there is, as a failure of the network would: without a word.
  package func disconnect() {
    state.withLock { $0.connection }?.abandon()
  }

  /// Ends the session there is, in good order, and opens no other. Returns when it has ended.
  package func leave() async {
    let connection = state.withLock { state in
      state.isLeaving = true
      return state.connection
    }
    if let connection { handle(.end(.stopping), on: connection) }
    await withDeadline(.seconds(2)) { [sessions] in await sessions.emptied() }
  }

  var isLeaving: Bool { state.withLock { $0.isLeaving } }

  // MARK: Connections

  /// Holds a session on a stream until it ends. A session that is open on another stream ends.
  ///
  /// - Parameter hold: Runs both directions of the stream with the connection it is given.
  package func holdSession(
    _ hold: (SubmitterConnection) async throws -> Void
  ) async -> SessionEnd {
    let connection = state.withLock { state in
      state.lastNumber += 1
      return SubmitterConnection(number: state.lastNumber, submitter: self, tick: tick)
    }
    sessions.enter()
    defer { sessions.leave() }
    var failure = "no session came about"
    do { try await hold(connection) } catch {
      failure = "\(error)"
      handle(.end(.disconnected(failure)), on: connection)
    }
    handle(.end(.stopping), on: connection)
    let end = connection.end ?? .disconnected(failure)
    notify(.ended(end))
    return end
  }

  func begin(_ connection: SubmitterConnection) {
    let old = state.withLock { $0.connection }
    if let old { handle(.end(.superseded), on: old) }
    state.withLock { $0.connection = connection }
    handle(.connected(challenge: .random()), on: connection)
  }

  /// - Parameter connection: Where the event comes from; events of connections that are over are passed over. nil for those from above.
  func handle(_ event: Machine.Event, on connection: SubmitterConnection? = nil) {
    let now = TaskClock.system.monotonic()
    let (actions, current) = state.withLock { state -> ([Machine.Action], SubmitterConnection?) in
      guard connection == nil || connection === state.connection else { return ([], nil) }
      let actions = state.machine.handle(event, now: now)
      let current = state.connection
      // Said under the lock, so that messages leave in the order of the machine's changes.
      for case .send(let message) in actions { current?.say(message) }
      for case .close(let end) in actions {
        current?.close(end)
        state.connection = nil
      }
      return (actions, current)
    }
    for action in actions { carryOut(action, current) }
  }

  private func carryOut(_ action: Machine.Action, _ connection: SubmitterConnection?) {
    switch action {
    case .send: break
    case .sign(let ours, let theirs):
      let message = SessionProofMessage(role: .aggregator, aggregator: ours, executor: theirs)
      do throws(SigningError) { handle(.signed(proof: try identity.key.signMessage(message.digest)), on: connection) } catch {
        handle(.end(.unavailable(code: "signing_failed", message: "the proof could not be signed")), on: connection)
      }
    case .verify(let ours, let theirs, let proof):
      let message = SessionProofMessage(role: .executor, aggregator: ours, executor: theirs)
      do throws(SignatureError) {
        try identity.executorKey?.verifyMessage(message.digest, signature: proof)
        handle(.verified, on: connection)
        notify(.established)
      } catch {
        handle(.end(.unauthenticated(code: "bad_proof", message: "the executor's proof \(error.message)")), on: connection)
      }
    case .receipt(let id): notify(.receipt(id))
    case .deliver(let id, let answer): resume(id, .outcome(answer))
    case .refuse(let id, let refusal): resume(id, .refused(refusal))
    case .cancellation(let id, let result):
      state.withLock { $0.cancellations.take(id) }.resume(returning: result)
    case .close:
      state.withLock { $0.cancellations.takeAll() }.resume(returning: nil)
    }
  }

  private func resume(_ id: TaskID, _ ending: Ending) {
    state.withLock { $0.callers.take(id) }.resume(returning: .ended(ending))
  }

  func received(_ message: ExecutorMessage<StreamAnswer>, on connection: SubmitterConnection) {
    notify(.message(message))
    handle(.received(message), on: connection)
  }
}
