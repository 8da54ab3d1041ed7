import PonosCore
import PonosStore

/// Everything an operator may want to know of a running daemon at one moment, without any secret.
package struct StateDump: Sendable, Equatable, Codable {
  package var version: String
  package var startedAt: UnixMilliseconds
  /// The moment of the dump.
  package var now: UnixMilliseconds
  package var operatorAddress: EthereumAddress
  /// nil while the store is not open.
  package var installationID: String?
  package var readiness: Readiness
  package var configuration: ConfigurationSummary
  package var performers: [PerformerView]
  package var queues: [QueueView]
  package var tasks: TaskCounts
  /// Newest first.
  package var recentTasks: [TaskSummary]
  /// Endpoints of the chain in their order; none when nothing is read from it.
  package var chain: [EndpointView]

  package init(
    version: String, startedAt: UnixMilliseconds, now: UnixMilliseconds, operatorAddress: EthereumAddress,
    installationID: String?, readiness: Readiness, configuration: ConfigurationSummary, performers: [PerformerView],
    queues: [QueueView], tasks: TaskCounts, recentTasks: [TaskSummary], chain: [EndpointView] = []
  ) {
    self.chain = chain
    self.version = version
    self.startedAt = startedAt
    self.now = now
    self.operatorAddress = operatorAddress
    self.installationID = installationID
    self.readiness = readiness
    self.configuration = configuration
    self.performers = performers
    self.queues = queues
    self.tasks = tasks
    self.recentTasks = recentTasks
  }

  package var uptime: Duration { .milliseconds(max(0, now - startedAt)) }
}

/// What is shown of a performer.
package struct PerformerView: Sendable, Equatable, Codable {
  package var id: String
  package var avs: EthereumAddress
  /// `InService`, `Staged`, or the state of its lifecycle.
  package var state: String
  package var image: String
  package var containerID: String?
  package var generation: Int
  package var restarts: Int
  /// Tasks it can be given at a time.
  package var capacity: Int
  /// Tasks it has.
  package var outstanding: Int
  /// Whether it is let near tasks; nil while it does not serve.
  package var breaker: CircuitBreaker.State?
  package var isHealthy: Bool
  package var lastHealthCheckAt: UnixMilliseconds?
  package var lastError: String?

  package init(
    id: String, avs: EthereumAddress, state: String, image: String, containerID: String?, generation: Int, restarts: Int,
    capacity: Int, outstanding: Int, breaker: CircuitBreaker.State? = nil, isHealthy: Bool,
    lastHealthCheckAt: UnixMilliseconds?, lastError: String?
  ) {
    self.id = id
    self.avs = avs
    self.state = state
    self.image = image
    self.containerID = containerID
    self.generation = generation
    self.restarts = restarts
    self.capacity = capacity
    self.outstanding = outstanding
    self.breaker = breaker
    self.isHealthy = isHealthy
    self.lastHealthCheckAt = lastHealthCheckAt
    self.lastError = lastError
  }
}

/// What is shown of the queue of an AVS.
package struct QueueView: Sendable, Equatable, Codable {
  package var avs: EthereumAddress
  package var waiting: Int
  /// Tasks that may wait.
  package var limit: Int

  package init(avs: EthereumAddress, waiting: Int, limit: Int) {
    self.avs = avs
    self.waiting = waiting
    self.limit = limit
  }
}
