import Logging
import PonosCore
import PonosDocker
import PonosStore
import PonosTelemetry

/// Why recovery cannot go on.
enum RecoveryError: Error, Sendable, CustomStringConvertible {
  case store(StoreError)
  case docker(DockerError)

  var description: String {
    switch self {
    case .store(let error): error.description
    case .docker(let error): error.description
    }
  }
}

/// Makes what the engine holds of this installation match what should be there: at the start by the records of an earlier daemon,
/// and from then on by what supervisors and deployments claim. `ReconciliationPlan` decides in both cases.
struct EngineReconciler: Sendable {
  let supervision: Supervision
  let networks: PerformerNetworks
  let store: any PerformerStore
  let resources: HostResources
  let deployments: DeploymentCoordinator
  let logger: Logger

  private var runtime: DockerRuntime { supervision.launcher.runtime }
  private var statuses: PerformerStatusTable { supervision.statuses }

  // MARK: At the start

  /// Forgets performers that are not wanted any more, removes containers that no performer claims, has the performers that are
  /// kept supervised, and begins with the deployments that are missing. May be repeated until it succeeds.
  func recover(
    configured: [PerformerSpec], allotments: [EthereumAddress: PerformerAllotment]
  ) async throws(RecoveryError) {
    let records: [PerformerRecord]
    let containers: [ReconciliationPlan.Container]
    do { records = try await store.performers() } catch { throw .store(error) }
    do { containers = try await runtime.ownContainers() } catch { throw .docker(error) }
    let plan = ReconciliationPlan(
      stored: records.map(ReconciliationPlan.Stored.init), containers: containers, configured: configured,
      allotments: allotments)
    for id in plan.removedPerformers {
      do { try await supervision.retirement.forget(id) } catch { throw .store(error) }
      logger.notice("forgot a performer that is not wanted any more", metadata: [LogKey.performerID: "\(id)"])
    }
    do { try await remove(plan.removedContainers, failuresAt: .warning) } catch { throw .docker(error) }
    for (record, containerID) in try await kept(records, plan) { keep(record, containerID) }
    deployments.open(wanted: configured.map(\.avs))
    for placement in plan.deployments { deployments.keepDeployed(DesiredDeployment(configured: placement)) }
    for renewal in plan.renewals { deployments.keepDeployed(DesiredDeployment(renewal: renewal)) }
  }

  /// The performers that are kept, their records brought up to date, and the running container of each that has one.
  private func kept(
    _ records: [PerformerRecord], _ plan: ReconciliationPlan
  ) async throws(RecoveryError) -> [(record: PerformerRecord, containerID: String?)] {
    var kept: [(record: PerformerRecord, containerID: String?)] = []
    for stored in records where !plan.removedPerformers.contains(stored.id) {
      var record = stored
      let containerID = plan.adoptions.first { $0.performerID == record.id }?.containerID
      if let containerID { record.containerID = containerID }
      if let spec = plan.updatedSpecs[record.id] { record.spec = spec }
      if record.imageID == nil, let containerID { record.imageID = try await imageID(of: containerID) }
      if record != stored {
        do { try await store.save(record) } catch { throw .store(error) }
      }
      kept.append((record, containerID))
    }
    return kept
  }

  private func imageID(of containerID: String) async throws(RecoveryError) -> String? {
    do { return try await runtime.imageID(of: containerID) } catch { throw .docker(error) }
  }

  /// Has a performer that an earlier daemon put in service supervised again.
  private func keep(_ record: PerformerRecord, _ containerID: String?) {
    supervision.roster.assign(record.replicaID, to: record.id)
    resources.hold(for: record)
    statuses.put(PerformerSnapshot(record, state: containerID == nil ? .restarting : .starting))
    supervision.begin(record, containerID.map { .adopting(containerID: $0) } ?? .restoring)
  }

  // MARK: From then on

  /// Tells supervisors of containers that ended unnoticed, and removes containers and networks that belong to no performer.
  /// Throws when the engine does not answer; a container or network that cannot be removed waits for the next comparison.
  func compare() async throws(DockerError) {
    // Asked before the list is made: a container created meanwhile is not missed.
    let expected = claims()
    let containers = try await runtime.ownContainers()
    let plan = ReconciliationPlan(expected: expected, claims: claims(), containers: containers)
    for loss in plan.losses {
      supervision.supervisors.mailbox(of: loss.performerID)?
        .post(.ended(containerID: loss.containerID, reason: "does not run any more"))
    }
    try await remove(plan.removedContainers, failuresAt: .debug)
    try await removeDesertedNetworks()
  }

  /// A performer that serves claims its container. While a performer is brought up or replaced, it claims all that are there: the
  /// launch removes those it does not need.
  private func claims() -> [ReconciliationPlan.Claim] {
    statuses.all.map { entry in
      ReconciliationPlan.Claim(
        performerID: entry.performerID, containers: entry.state == .running ? .only(entry.containerID) : .all)
    }
  }

  /// A deployment has its entry in the status table before it looks for its network. Meanwhile nobody else changes its AVS.
  private func removeDesertedNetworks() async throws(DockerError) {
    for (avs, id) in try await networks.owned() {
      let outcome = await deployments.exclusively(avs) { () async -> Result<Void, DockerError> in
        if statuses.all.contains(where: { $0.avs == avs }) { return .success(()) }
        do throws(DockerError) {
          try await attempt("network", [LogKey.networkID: "\(id.prefix(12))"], failureAt: .debug) {
            () async throws(DockerError) in
            try await networks.remove(id: id)
          }
          return .success(())
        } catch {
          return .failure(error)
        }
      }
      try outcome?.get()
    }
  }

  // MARK: Removing

  private func remove(_ containers: [String], failuresAt level: Logger.Level) async throws(DockerError) {
    for id in containers {
      try await attempt("container", [LogKey.containerID: "\(id.prefix(12))"], failureAt: level) { () async throws(DockerError) in
        try await runtime.discard(id)
      }
    }
  }

  private func attempt(
    _ kind: String, _ metadata: Logger.Metadata, failureAt level: Logger.Level, _ remove: () async throws(DockerError) -> Void
  ) async throws(DockerError) {
    do throws(DockerError) {
      try await remove()
      logger.notice("removed a \(kind) that no performer claims", metadata: metadata)
    } catch {
      guard error.isFaultOfContainer else { throw error }
      logger.log(
        level: level, "a \(kind) that no performer claims cannot be removed",
        metadata: metadata.merging([LogKey.error: "\(error)"]) { first, _ in first })
    }
  }
}

extension ReconciliationPlan.Stored {
  init(_ record: PerformerRecord) {
    self.init(
      performerID: record.id, spec: record.spec, replica: record.replica, origin: record.origin, isStaged: record.role == .staged,
      generation: record.generation, containerID: record.containerID, createdAt: record.createdAt)
  }
}
