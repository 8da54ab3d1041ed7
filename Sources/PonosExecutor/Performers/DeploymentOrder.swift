import Foundation
import PonosCore

/// The wish to put a performer in service.
struct DeploymentOrder: Sendable {
  let spec: PerformerSpec
  let origin: PerformerOrigin
  let deploymentID: String
  let performerID: String

  init(spec: PerformerSpec, origin: PerformerOrigin) {
    self.spec = spec
    self.origin = origin
    deploymentID = "deployment-\(spec.avs)-\(UUID().uuidString.lowercased())"
    performerID = "performer-\(spec.avs)-\(UUID().uuidString.lowercased())"
  }

  /// The record of the performer while it is brought up.
  func record(createdAt: UnixMilliseconds) -> PerformerRecord {
    PerformerRecord(
      id: performerID, spec: spec, origin: origin, role: .staged, deploymentID: deploymentID, generation: 1,
      containerID: nil, createdAt: createdAt)
  }
}
