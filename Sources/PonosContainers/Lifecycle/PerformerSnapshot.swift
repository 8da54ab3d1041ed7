import PonosCore
import PonosStore

/// What is seen of one performer.
package struct PerformerSnapshot: Sendable, Equatable {
  package var performerID: String
  package var avs: EthereumAddress
  package var origin: PerformerOrigin
  package var role: PerformerRecord.Role
  package var state: PerformerState
  package var image: ImageReference
  /// nil while there is no container.
  package var containerID: String?
  /// Whether the container runs, as far as is known.
  package var containerHealthy: Bool
  /// Whether the health service in it answers that it serves.
  package var applicationHealthy: Bool
  /// nil before the first probe.
  package var lastHealthCheck: UnixMilliseconds?
  /// Number of the container among those created for the performer, from 1.
  package var generation: Int
  /// Containers created in place of ones that failed or vanished, since the daemon started.
  package var restarts: Int
  /// What went wrong last; nil when nothing did, or when it has served well since.
  package var lastError: String?
  /// Whether it was not started because it may use more than the host has.
  package var isTooLargeForHost = false
  /// The last lines of the container that failed last, oldest first.
  package var logTail: [String]

  /// A performer of which nothing is known but that it is wanted.
  package init(_ record: PerformerRecord, state: PerformerState = .initializing) {
    performerID = record.id
    avs = record.spec.avs
    origin = record.origin
    role = record.role
    self.state = state
    image = record.spec.image
    containerID = record.containerID
    containerHealthy = false
    applicationHealthy = false
    generation = record.generation
    restarts = 0
    logTail = []
  }

  /// The text of `ListPerformers`: `InService` and `Staged` as the reference says, otherwise the state.
  package var status: String {
    switch (role, state) {
    case (.inService, .running), (.inService, .executing): "InService"
    case (.staged, .starting), (.staged, .running): "Staged"
    default: state.rawValue
    }
  }
}
