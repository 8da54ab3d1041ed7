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

/// The wish to put a performer in service however long that takes, for as long as it is wanted.
struct StandingOrder: Sendable {
  let order: DeploymentOrder
  /// The performer that is deployed anew; nil for one the configuration names. The order stands while that is in service.
  let renewed: String?

  init(configured spec: PerformerSpec) {
    order = DeploymentOrder(spec: spec, origin: .configuration)
    renewed = nil
  }

  init(renewal: ReconciliationPlan.Renewal) {
    order = DeploymentOrder(spec: renewal.spec, origin: .deployment)
    renewed = renewal.performerID
  }
}
