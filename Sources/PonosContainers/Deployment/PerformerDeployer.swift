import Logging
import PonosCore
import PonosStore

/// Carries out deployments: brings a performer up, writes it down as the one in service, and lets it take the AVS over.
struct PerformerDeployer: Sendable {
  let staging: PerformerStaging
  let restorer: PerformerRestorer
  let store: any PerformerStore
  let roster: PerformerRoster
  let statuses: PerformerStatusTable
  let desk: PerformerDesk
  /// Delays between attempts at a standing order.
  let retries: RestartPolicy
  let observe: @Sendable (PerformerEvent) -> Void
  /// Has a performer that was put in service looked after from then on, and the one it replaces retired.
  let supervise: @Sendable (PerformerStaging.Staged) -> Void
  let logger: Logger

  /// One attempt. After a failure the performer stays on the statuses, as failed; nothing else of it is left.
  func deploy(_ order: DeploymentOrder) async -> Result<Deployment, DeploymentError> {
    let start = ContinuousClock.now
    let avs = order.spec.avs
    do throws(DeploymentError) {
      let deployment = try await putInService(order.record(createdAt: statuses.now))
      observe(.deployed(avs: avs, ContinuousClock.now - start))
      logger.notice(
        "performer deployed", metadata: ["performer": "\(deployment.performerID)", "image": "\(deployment.image)"])
      return .success(deployment)
    } catch {
      observe(.deploymentFailed(avs: avs, error.code))
      return .failure(error)
    }
  }

  private func putInService(_ wanted: PerformerRecord) async throws(DeploymentError) -> Deployment {
    let staged = try await staging.stage(wanted)
    var record = staged.record
    record.role = .inService
    do { try await store.save(record) } catch { throw await rollBack(staged, error) }
    statuses.update(record.id) { [now = statuses.now] entry in
      entry.role = .inService
      entry.state = .running
      entry.applicationHealthy = true
      entry.lastHealthCheck = now
    }
    // From here on new tasks go to the new performer. The old one's supervisor drains it.
    roster.publish(record.entry(staged.launched.connection))
    supervise(PerformerStaging.Staged(record: record, machine: staged.machine, launched: staged.launched))
    return Deployment(
      deploymentID: record.deploymentID, performerID: record.id, avs: record.spec.avs, image: record.spec.image,
      containerID: staged.launched.containerID)
  }

  /// Takes away a performer that serves but cannot be written down as the one in service.
  private func rollBack(_ staged: PerformerStaging.Staged, _ error: StoreError) async -> DeploymentError {
    await staged.launched.connection.close()
    statuses.update(staged.record.id) { entry in
      entry.state = .failed
      entry.containerID = nil
      entry.containerHealthy = false
      entry.lastError = error.description
    }
    _ = await restorer.forget(staged.record.id)
    await restorer.removeContainers(of: staged.record, withNetwork: false)
    return DeploymentError(error)
  }

  // MARK: Standing orders

  /// Tries until the performer serves, or is not wanted any more; then nothing of it stays in view. Returns whether it serves.
  func keepDeployed(_ standing: StandingOrder) async -> Bool {
    if await succeeds(standing) { return true }
    statuses.remove(standing.order.performerID)
    return false
  }

  private func succeeds(_ standing: StandingOrder) async -> Bool {
    let order = standing.order
    var attempt = 0
    var hasFailed = false
    while !Task.isCancelled, isWanted(standing, hasFailed: hasFailed) {
      switch await desk.exclusively(order.replicaID, { await deploy(order) }) {
      case .success?: return true
      case .failure(let error)?:
        if error.code == .shuttingDown { return false }
        hasFailed = true
        logger.error(
          "a performer cannot be deployed; trying again",
          metadata: [
            "avs": "\(order.spec.avs)", "reason": "\(error)", "log": "\(error.logTail.suffix(3).joined(separator: " | "))",
          ])
      case nil: break
      }
      attempt += 1
      try? await Task.sleep(for: retries.delay(beforeAttempt: attempt))
    }
    return false
  }

  /// A performer somebody deployed outranks the configuration's. One that failed and was then removed by hand is given up.
  private func isWanted(_ standing: StandingOrder, hasFailed: Bool) -> Bool {
    let avs = standing.order.spec.avs
    if hasFailed, statuses.entry(standing.order.performerID) == nil { return false }
    if let condition = standing.condition { return desk.isInService(condition) }
    return desk.wanted.contains(avs)
      && !statuses.all.contains { $0.avs == avs && $0.role == .inService && $0.origin == .deployment }
  }
}
