import Foundation
import PonosCore
import PonosStore

/// A request to put a performer in service as one replica of its AVS.
struct DeploymentRequest: Sendable {
  let spec: PerformerSpec
  /// Number of the replica, from 0.
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
