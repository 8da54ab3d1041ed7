import PonosCore
import PonosStore

/// What is seen of one performer.
package struct PerformerSnapshot: Sendable, Equatable {
  package var performerID: String
  package var avs: EthereumAddress
  package var origin: PerformerOrigin
  /// Whether it is the performer in service of its replica. The roster knows; the status table does not.
  package var isInService = false
  /// `executing` is the roster's knowledge, too: the status table has `running` for it.
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
  /// The last lines of the container that failed last, oldest first.
  package var logTail: [String]

  /// A performer of which nothing is known but that it is wanted.
  package init(_ record: PerformerRecord, state: PerformerState = .initializing) {
    performerID = record.id
    avs = record.spec.avs
    origin = record.origin
    self.state = state
    image = record.spec.image
    containerID = record.containerID
    containerHealthy = false
    applicationHealthy = false
    generation = record.generation
    restarts = 0
    logTail = []
  }

  /// The order in which performers are listed: by AVS, those in service first.
  static func precedes(_ left: PerformerSnapshot, _ right: PerformerSnapshot) -> Bool {
    if left.avs != right.avs { return left.avs.bytes.lexicographicallyPrecedes(right.avs.bytes) }
    if left.isInService != right.isInService { return left.isInService }
    return left.performerID < right.performerID
  }

  /// The text of `ListPerformers`: `InService` and `Staged` as the reference says, otherwise the state.
  package var status: String {
    switch (isInService, state) {
    case (true, .running), (true, .executing): "InService"
    case (false, .starting): "Staged"
    default: state.rawValue
    }
  }
}
