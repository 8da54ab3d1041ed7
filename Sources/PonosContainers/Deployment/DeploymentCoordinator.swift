import PonosCore
import PonosSystem
import Synchronization

/// Admits deployments and removals, keeps those of one AVS apart, queues the work, and answers those who wait for it.
///
/// `PerformerDeployer` carries the jobs out. Nothing is carried out before recovery has finished, nor after `close`.
final class DeploymentCoordinator: Sendable {
  enum Job: Sendable {
    /// One attempt, whose outcome a caller waits for.
    case deploy(DeploymentRequest)
    /// As many attempts as it takes.
    case keepDeployed(DesiredDeployment)
  }

  private enum Phase {
    /// Deployments wait, removals are refused. Can transition to `blocked`, `open` and `closed`.
    case recovering
    /// Recovery fails for this reason and is tried again; everything is refused meanwhile. Can transition to `blocked` for
    /// another reason, `open` and `closed`.
    case blocked(String)
    /// Recovery has finished. Can transition to `closed`.
    case open
    /// The service has ended; everything is refused. Final.
    case closed
  }

  private typealias Outcome = Result<Deployment, DeploymentError>

  private struct State {
    var phase = Phase.recovering
    var claims = ReplicaClaims()
    /// Callers that wait for their deployment, by its id.
    var callers = KeyedWaiters<String, Outcome>()
    /// AVSs that the configuration wants a performer for.
    var wanted: Set<EthereumAddress> = []

    /// Gives up every claim and takes out those who wait.
    mutating func dismissAll() -> Waiters<Outcome>.Taken {
      claims = ReplicaClaims()
      return callers.takeAll()
    }
  }

  private let state = Mutex(State())
  /// What is to be done, in order. At most one job for each caller that waits and each performer that is desired.
  let jobs: AsyncStream<Job>
  private let submission: AsyncStream<Job>.Continuation

  init() {
    (jobs, submission) = AsyncStream.makeStream(of: Job.self)
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

  /// Notes that recovery cannot go on, and tells so those who wait. Returns whether the reason is a new one.
  func block(_ reason: String) -> Bool {
    let (isNews, callers) = state.withLock { state in
      var isNews = true
      if case .blocked(reason) = state.phase { isNews = false }
      state.phase = .blocked(reason)
      return (isNews, state.dismissAll())
    }
    callers.resume(returning: .failure(Self.blocked(reason)))
    return isNews
  }

  /// Begins with the work.
  ///
  /// - Parameter wanted: AVSs that the configuration wants a performer for.
  func open(wanted: [EthereumAddress]) {
    state.withLock { state in
      state.phase = .open
      state.wanted = Set(wanted)
    }
  }

  /// Refuses everything from now on, and tells so those who wait.
  func close() {
    submission.finish()
    let callers = state.withLock { state in
      state.phase = .closed
      return state.dismissAll()
    }
    callers.resume(returning: .failure(.shuttingDown))
  }

  // MARK: Deployments

  /// Queues a deployment and waits for its outcome. The deployment is carried through though its caller goes away.
  func deploy(_ request: DeploymentRequest) async throws(DeploymentError) -> Deployment {
    let outcome = await state.waitUncancelled(in: \.callers, for: request.deploymentID) { state in
      Self.refusal(of: request, &state).map { .failure($0) }
    } registered: {
      submission.yield(.deploy(request))
    }
    return try outcome.get()
  }

  /// Claims the replica of a deployment. Returns why it cannot be, or nil when it is.
  private static func refusal(of request: DeploymentRequest, _ state: inout State) -> DeploymentError? {
    switch state.phase {
    case .closed: .shuttingDown
    case .blocked(let reason): blocked(reason)
    case .recovering, .open: state.claims.claim(request.replicaID) ? nil : inProgress(request.spec.avs)
    }
  }

  /// Queues a deployment that is tried until it succeeds.
  func keepDeployed(_ desired: DesiredDeployment) {
    submission.yield(.keepDeployed(desired))
  }

  /// Whether a caller still waits for the deployment. Those who waited while recovery was blocked do not.
  func isAwaited(_ request: DeploymentRequest) -> Bool {
    state.withLock { $0.callers.contains(request.deploymentID) }
  }

  /// Ends a deployment and tells its caller the outcome.
  func finish(_ request: DeploymentRequest, _ outcome: Result<Deployment, DeploymentError>) {
    let caller = state.withLock { state in
      state.claims.release(request.replicaID)
      return state.callers.take(request.deploymentID)
    }
    caller.resume(returning: outcome)
  }

  /// Runs `body` while nothing else changes the replica. Returns nil, without running it, while something does.
  func exclusively<Value: Sendable>(_ replica: ReplicaID, _ body: () async -> Value) async -> Value? {
    guard state.withLock({ $0.claims.claim(replica) }) else { return nil }
    let value = await body()
    state.withLock { $0.claims.release(replica) }
    return value
  }

  /// Runs `body` while nothing else changes a replica of the AVS. Returns nil, without running it, while something does.
  func exclusively<Value: Sendable>(_ avs: EthereumAddress, _ body: () async -> Value) async -> Value? {
    guard state.withLock({ $0.claims.claim(allOf: avs) }) else { return nil }
    let value = await body()
    state.withLock { $0.claims.release(allOf: avs) }
    return value
  }

  // MARK: Removals

  /// Throws why no performer can be removed at the moment, whichever it is.
  func admitRemoval() throws(RemovalError) {
    switch state.withLock(\.phase) {
    case .closed: throw .shuttingDown
    case .blocked(let reason): throw RemovalError(.dockerUnavailable, Self.blocked(reason).message)
    case .recovering: throw RemovalError(.alreadyInProgress, "Performers are being recovered. Try again in a moment.")
    case .open: break
    }
  }

  /// Runs `body`, which removes the performers of an AVS. The configuration's performer is not wanted any more until the next
  /// start.
  func remove<Value: Sendable>(allOf avs: EthereumAddress, _ body: () async -> Value) async throws(RemovalError) -> Value {
    let value = await exclusively(avs) {
      abandon(avs)
      return await body()
    }
    guard let value else { throw RemovalError(.alreadyInProgress, Self.inProgress(avs).message) }
    return value
  }

  /// Gives up until the next start that the configuration wants a performer for the AVS.
  func abandon(_ avs: EthereumAddress) {
    _ = state.withLock { $0.wanted.remove(avs) }
  }

  /// AVSs that the configuration wants a performer for.
  var wanted: Set<EthereumAddress> { state.withLock(\.wanted) }

  // MARK: Refusals

  private static func blocked(_ reason: String) -> DeploymentError {
    DeploymentError(.dockerUnavailable, "Performers cannot be recovered, so none can be changed: \(reason)")
  }

  private static func inProgress(_ avs: EthereumAddress) -> DeploymentError {
    DeploymentError(
      .alreadyInProgress,
      "A deployment or removal of the performer of AVS \(avs) is in progress. Wait for it to finish, then try again.")
  }
}
