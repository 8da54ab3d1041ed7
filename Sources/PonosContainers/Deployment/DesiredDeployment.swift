import PonosCore

/// A deployment that is tried until it succeeds or is not desired any more.
struct DesiredDeployment: Sendable {
  let request: DeploymentRequest
  /// The performer that has to stay in service for this deployment to be desired; nil for one that the configuration names.
  let leader: String?
  /// Whether the other replicas of the AVS follow once this one serves.
  let startsRollout: Bool

  init(configured: ReconciliationPlan.Placement) {
    request = DeploymentRequest(spec: configured.spec, replica: configured.replica, origin: .configuration)
    (leader, startsRollout) = (nil, false)
  }

  init(renewal: ReconciliationPlan.Renewal) {
    request = DeploymentRequest(spec: renewal.spec, replica: renewal.replica, origin: .deployment)
    (leader, startsRollout) = (renewal.performerID, renewal.startsRollout)
  }

  /// Brings a replica to what the performer `leader` runs, which was deployed and is in service.
  init(following leader: String, _ spec: PerformerSpec, replica: Int) {
    request = DeploymentRequest(spec: spec, replica: replica, origin: .deployment)
    (self.leader, startsRollout) = (leader, false)
  }
}
