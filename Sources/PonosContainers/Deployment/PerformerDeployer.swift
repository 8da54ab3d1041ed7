import Logging
import PonosCore
import PonosDocker
import PonosStore
import PonosTelemetry

/// Carries out deployments: brings a performer up, writes it down as the one in service, and lets it take over.
struct PerformerDeployer: Sendable {
  let supervision: Supervision
  let resources: HostResources
  let store: any PerformerStore
  let deployments: DeploymentCoordinator
  /// What the configuration grants the performers of each AVS.
  let allotments: [EthereumAddress: PerformerAllotment]
  let logger: Logger

  private var statuses: PerformerStatusTable { supervision.statuses }

  /// Carries out one job, to its end.
  func perform(_ job: DeploymentCoordinator.Job) async {
    switch job {
    case .deploy(let request):
      guard deployments.isAwaited(request) else { return }
      let outcome = await deploy(request)
      switch outcome {
      case .success: rollOut(request)
      // The caller is told why. Only what is tried again stays in view.
      case .failure: supervision.retirement.dismiss(request.performerID)
      }
      deployments.finish(request, outcome)
    case .keepDeployed(let desired):
      if await keepDeployed(desired), desired.startsRollout { rollOut(desired.request) }
    }
  }

  /// Has the other replicas of an AVS brought to what a performer runs that has just come into service.
  private func rollOut(_ request: DeploymentRequest) {
    for replica in 0..<max(1, allotments[request.spec.avs]?.replicas ?? 1) where replica != request.replica {
      deployments.keepDeployed(DesiredDeployment(following: request.performerID, request.spec, replica: replica))
    }
  }

  // MARK: One attempt

  /// Tries once. After a failure the performer stays in the status table, as failed; nothing else of it is left.
  private func deploy(_ request: DeploymentRequest) async -> Result<Deployment, DeploymentError> {
    let start = ContinuousClock.now
    let avs = request.spec.avs
    do throws(DeploymentError) {
      let deployment = try await putInService(request.record(createdAt: statuses.now))
      supervision.observe(.deployed(avs: avs, ContinuousClock.now - start))
      logger.notice(
        "performer deployed",
        metadata: [
          LogKey.performerID: "\(deployment.performerID)", LogKey.avs: "\(avs)", LogKey.image: "\(deployment.image)",
        ])
      return .success(deployment)
    } catch {
      supervision.observe(.deploymentFailed(avs: avs, error.code))
      return .failure(error)
    }
  }

  private func putInService(_ wanted: PerformerRecord) async throws(DeploymentError) -> Deployment {
    let progress = DeploymentProgress(
      of: PerformerSnapshot(wanted), settings: supervision.settings, statuses: statuses, observe: supervision.observe)
    let launched = try await bringUp(wanted, progress)
    var record = wanted.with(containerID: launched.containerID, imageID: launched.imageID)
    record.role = .inService
    do { try await store.save(record) } catch {
      progress.fail(error.description)
      await supervision.retirement.abandon(record, launched.connection)
      throw DeploymentError(error)
    }
    // From here on new tasks go to the new performer. The supervisor of the one it replaces drains that.
    let replaced = supervision.roster.publish(record.entry(launched.connection))
    supervision.begin(record, .serving(launched, progress.succeed()))
    if let replaced { supervision.supervisors.mailbox(of: replaced)?.post(.retire) }
    return Deployment(
      deploymentID: record.deploymentID, performerID: record.id, avs: record.spec.avs, image: record.spec.image,
      containerID: launched.containerID)
  }

  /// Brings a new performer up beside the one that serves, if any. After an error neither record nor container of it is left.
  private func bringUp(
    _ wanted: PerformerRecord, _ progress: DeploymentProgress
  ) async throws(DeploymentError) -> LaunchedPerformer {
    do throws(DeploymentError) {
      try await reserve(wanted)
      return try await supervision.launcher.launch(wanted) { progress.take($0) }
    } catch {
      progress.fail(error.description, logTail: error.logTail)
      if error.code != .insufficientResources { resources.release(wanted.id) }
      // When the daemon ends in the middle, the staged record stays for the next start to roll back.
      if error.code != .shuttingDown {
        do { try await supervision.retirement.forget(wanted.id) } catch { throw DeploymentError(error) }
      }
      throw error
    }
  }

  private func reserve(_ wanted: PerformerRecord) async throws(DeploymentError) {
    let capacity: HostCapacity
    do { capacity = try await supervision.launcher.runtime.hostCapacity() } catch { throw DeploymentError(error) }
    guard case .tooLarge(let reason) = resources.reserve(for: wanted, of: capacity) else { return }
    throw DeploymentError(.insufficientResources, "The performer is too large for this host: \(reason).")
  }

  // MARK: Until it serves

  /// Tries until the performer serves, or is not desired any more; then nothing of it stays in view. Returns whether it serves.
  private func keepDeployed(_ desired: DesiredDeployment) async -> Bool {
    if await succeeds(desired) { return true }
    supervision.retirement.dismiss(desired.request.performerID)
    return false
  }

  private func succeeds(_ desired: DesiredDeployment) async -> Bool {
    let request = desired.request
    var attempt = 0
    var hasFailed = false
    while !Task.isCancelled, isDesired(desired, hasFailed: hasFailed) {
      switch await deployments.exclusively(request.replicaID, { await deploy(request) }) {
      case .success?: return true
      case .failure(let error)?:
        if error.code == .shuttingDown { return false }
        hasFailed = true
        logger.error(
          "a performer cannot be deployed; trying again",
          metadata: [
            LogKey.performerID: "\(request.performerID)", LogKey.avs: "\(request.spec.avs)", LogKey.error: "\(error)",
            LogKey.logTail: "\(error.logTail.suffix(3).joined(separator: " | "))",
          ])
      case nil: break
      }
      attempt += 1
      try? await Task.sleep(for: supervision.settings.restarts.delay(beforeAttempt: attempt))
    }
    return false
  }

  /// A deployed performer outranks the configuration's. A performer that failed and was then removed by hand is given up.
  private func isDesired(_ desired: DesiredDeployment, hasFailed: Bool) -> Bool {
    let avs = desired.request.spec.avs
    if hasFailed, statuses.entry(desired.request.performerID) == nil { return false }
    let inService = supervision.roster.inService
    if let leader = desired.leader { return inService.contains(leader) }
    return deployments.wanted.contains(avs)
      && !statuses.all.contains { $0.avs == avs && $0.origin == .deployment && inService.contains($0.performerID) }
  }
}
