import PonosCore
import Synchronization

/// Where wishes for performers come in and their answers go out: keeps the work of callers and of `PerformerService.run()` apart,
/// and deployments and removals of one AVS from each other.
final class PerformerDesk: Sendable {
  enum Job: Sendable {
    case deploy(DeploymentOrder)
    /// Deploy a performer, however long it takes.
    case keepDeployed(StandingOrder)
    case supervise(PerformerSupervisor)
  }

  private enum Phase {
    case recovering
    /// Recovery cannot go on at the moment, because of this.
    case blocked(String)
    case open
    case closed
  }

  private struct Supervised {
    let replicaID: ReplicaID
    let mailbox: PerformerMailbox
  }

  private struct State {
    var phase = Phase.recovering
    /// Seats with a deployment under way.
    var busy: Set<ReplicaID> = []
    /// AVSs all of whose seats are kept free of deployments.
    var barred: Set<EthereumAddress> = []
    /// Callers that wait for their deployment, by its id.
    var callers: [String: CheckedContinuation<Result<Deployment, DeploymentError>, Never>] = [:]
    var supervised: [String: Supervised] = [:]
    /// The performer in service of each seat.
    var inService: [ReplicaID: String] = [:]
    /// AVSs that the configuration wants a performer for.
    var wanted: Set<EthereumAddress> = []

    mutating func claim(_ seat: ReplicaID) -> Bool {
      !barred.contains(seat.avs) && busy.insert(seat).inserted
    }

    /// Keeps deployments off all seats of an AVS.
    mutating func bar(_ avs: EthereumAddress) -> Bool {
      !busy.contains { $0.avs == avs } && barred.insert(avs).inserted
    }
  }

  private let state = Mutex(State())
  /// What `run()` has to do, in order. As long as callers wait and performers exist: both are bounded.
  let jobs: AsyncStream<Job>
  private let submission: AsyncStream<Job>.Continuation

  init() {
    (jobs, submission) = AsyncStream.makeStream(of: Job.self)
  }

  func submit(_ job: Job) {
    submission.yield(job)
  }

  // MARK: Phases

  /// Why nothing can be done yet; nil when it can.
  var obstacle: String? {
    state.withLock { state in
      switch state.phase {
      case .recovering: "the recovery of performers has not finished"
      case .blocked(let reason): "performers cannot be recovered: \(reason)"
      case .open: nil
      case .closed: "the daemon is shutting down"
      }
    }
  }

  /// Says that recovery cannot go on, and tells so those who wait. Returns whether that is news.
  func block(_ reason: String) -> Bool {
    let (isNews, callers) = state.withLock { state in
      var isNews = true
      if case .blocked(reason) = state.phase { isNews = false }
      state.phase = .blocked(reason)
      return (isNews, Self.dismissAll(&state))
    }
    callers.forEach { $0.resume(returning: .failure(Self.blocked(reason))) }
    return isNews
  }

  func open(wanted: [EthereumAddress]) {
    state.withLock { state in
      state.phase = .open
      state.wanted = Set(wanted)
    }
  }

  /// Turns everyone away, from now on.
  func close() {
    submission.finish()
    let callers = state.withLock { state in
      state.phase = .closed
      return Self.dismissAll(&state)
    }
    callers.forEach { $0.resume(returning: .failure(.shuttingDown)) }
  }

  private static func dismissAll(
    _ state: inout State
  ) -> [CheckedContinuation<Result<Deployment, DeploymentError>, Never>] {
    defer {
      state.callers = [:]
      state.busy = []
      state.barred = []
    }
    return Array(state.callers.values)
  }

  // MARK: Deployments

  /// Hands an order in and waits for the outcome.
  func deploy(_ order: DeploymentOrder) async throws(DeploymentError) -> Deployment {
    let outcome = await withCheckedContinuation { continuation in
      let refusal = state.withLock { state -> DeploymentError? in
        if let refusal = Self.refusal(state) { return refusal }
        guard state.claim(order.replicaID) else { return Self.inProgress(order.spec.avs) }
        state.callers[order.deploymentID] = continuation
        return nil
      }
      if let refusal { return continuation.resume(returning: .failure(refusal)) }
      submission.yield(.deploy(order))
    }
    return try outcome.get()
  }

  /// Whether somebody still waits for the order; those who waited while recovery was blocked were told.
  func isAwaited(_ order: DeploymentOrder) -> Bool {
    state.withLock { $0.callers[order.deploymentID] != nil }
  }

  /// Tells the caller what came of the order.
  func finish(_ order: DeploymentOrder, _ outcome: Result<Deployment, DeploymentError>) {
    let caller = state.withLock { state in
      state.busy.remove(order.replicaID)
      return state.callers.removeValue(forKey: order.deploymentID)
    }
    caller?.resume(returning: outcome)
  }

  /// Runs `body` unless a deployment for the seat or a removal of its AVS is under way; then returns nil.
  func exclusively<Value: Sendable>(_ seat: ReplicaID, _ body: () async -> Value) async -> Value? {
    guard state.withLock({ $0.claim(seat) }) else { return nil }
    let value = await body()
    _ = state.withLock { $0.busy.remove(seat) }
    return value
  }

  /// Runs `body` unless a deployment or removal of the AVS is under way; then returns nil.
  func exclusively<Value: Sendable>(_ avs: EthereumAddress, _ body: () async -> Value) async -> Value? {
    guard state.withLock({ $0.bar(avs) }) else { return nil }
    let value = await body()
    _ = state.withLock { $0.barred.remove(avs) }
    return value
  }

  // MARK: Performers in service

  /// Makes a performer the one in service of its seat; returns the mailbox of the one it replaces.
  func enter(_ performerID: String, _ seat: ReplicaID, _ mailbox: PerformerMailbox) -> PerformerMailbox? {
    state.withLock { state in
      let previous = state.inService.updateValue(performerID, forKey: seat)
      state.supervised[performerID] = Supervised(replicaID: seat, mailbox: mailbox)
      return previous.flatMap { state.supervised[$0]?.mailbox }
    }
  }

  /// The supervisor of a performer has ended.
  func leave(_ performerID: String) {
    state.withLock { state in
      guard let supervised = state.supervised.removeValue(forKey: performerID) else { return }
      if state.inService[supervised.replicaID] == performerID { state.inService[supervised.replicaID] = nil }
    }
  }

  /// Whether the performer is the one in service of its seat.
  func isInService(_ performerID: String) -> Bool {
    state.withLock { state in state.supervised[performerID].map { state.inService[$0.replicaID] == performerID } ?? false }
  }

  func mailbox(of performerID: String) -> PerformerMailbox? {
    state.withLock { $0.supervised[performerID]?.mailbox }
  }

  // MARK: Removals

  /// AVS and mailboxes of a performer that may be removed now and of all other replicas of its AVS; nil when none of that id is
  /// in service.
  func beginRemoval(
    of performerID: String
  ) throws(RemovalError) -> (avs: EthereumAddress, mailboxes: [PerformerMailbox])? {
    try state.withLock { state throws(RemovalError) in
      switch state.phase {
      case .closed: throw .shuttingDown
      case .blocked(let reason): throw RemovalError(.dockerUnavailable, Self.blocked(reason).message)
      case .recovering:
        throw RemovalError(.alreadyInProgress, "Performers are being recovered. Try again in a moment.")
      case .open: break
      }
      guard let avs = state.supervised[performerID]?.replicaID.avs else { return nil }
      guard state.bar(avs) else { throw RemovalError(.alreadyInProgress, Self.inProgress(avs).message) }
      state.wanted.remove(avs)
      return (avs, state.supervised.values.filter { $0.replicaID.avs == avs }.map(\.mailbox))
    }
  }

  func endRemoval(of avs: EthereumAddress) {
    _ = state.withLock { $0.barred.remove(avs) }
  }

  /// The configuration's wish for the AVS is given up until the next start.
  func abandon(_ avs: EthereumAddress) {
    _ = state.withLock { $0.wanted.remove(avs) }
  }

  /// AVSs whose configured performer is wanted.
  var wanted: Set<EthereumAddress> { state.withLock { $0.wanted } }

  // MARK: Refusals

  private static func refusal(_ state: State) -> DeploymentError? {
    switch state.phase {
    case .closed: .shuttingDown
    case .blocked(let reason): blocked(reason)
    case .recovering, .open: nil
    }
  }

  private static func blocked(_ reason: String) -> DeploymentError {
    DeploymentError(.dockerUnavailable, "Performers cannot be recovered, so none can be changed: \(reason)")
  }

  private static func inProgress(_ avs: EthereumAddress) -> DeploymentError {
    DeploymentError(
      .alreadyInProgress,
      "A deployment or removal of the performer of AVS \(avs) is in progress. Wait for it to finish, then try again.")
  }
}
