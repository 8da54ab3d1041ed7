import Foundation
import PonosCore
import PonosStore

/// The wish to put a performer in service.
struct DeploymentOrder: Sendable {
  let spec: PerformerSpec
  /// Number of the seat it is to take.
  let replica: Int
  let origin: PerformerOrigin
  let deploymentID: String
  let performerID: String

  init(spec: PerformerSpec, replica: Int = 0, origin: PerformerOrigin) {
    self.spec = spec
    self.replica = replica
    self.origin = origin
    deploymentID = "deployment-\(spec.avs)-\(UUID().uuidString.lowercased())"
    performerID = "performer-\(spec.avs)-\(UUID().uuidString.lowercased())"
  }

  var replicaID: ReplicaID { ReplicaID(avs: spec.avs, replica: replica) }

  /// The record of the performer while it is brought up.
  func record(createdAt: UnixMilliseconds) -> PerformerRecord {
    PerformerRecord(
      id: performerID, spec: spec, replica: replica, origin: origin, role: .staged, deploymentID: deploymentID, generation: 1,
      containerID: nil, createdAt: createdAt)
  }
}

/// The wish to put a performer in service however long that takes, for as long as it is wanted.
struct StandingOrder: Sendable {
  let order: DeploymentOrder
  /// The order stands while this performer is in service; nil for one the configuration names.
  let condition: String?
  /// Whether the other replicas of the AVS are to follow.
  let leadsOthers: Bool

  init(configured: ReconciliationPlan.Placement) {
    order = DeploymentOrder(spec: configured.spec, replica: configured.replica, origin: .configuration)
    (condition, leadsOthers) = (nil, false)
  }

  init(renewal: ReconciliationPlan.Renewal) {
    order = DeploymentOrder(spec: renewal.spec, replica: renewal.replica, origin: .deployment)
    (condition, leadsOthers) = (renewal.performerID, renewal.leadsOthers)
  }

  /// Brings a replica to what a performer that was deployed runs, while that is in service.
  init(following leader: String, _ spec: PerformerSpec, replica: Int) {
    order = DeploymentOrder(spec: spec, replica: replica, origin: .deployment)
    (condition, leadsOthers) = (leader, false)
  }
}
