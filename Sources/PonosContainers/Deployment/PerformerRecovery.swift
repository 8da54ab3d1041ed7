import Logging
import PonosCore
import PonosDocker
import PonosStore

/// What is left to do once records and containers match.
struct RecoveredPerformers: Sendable {
  /// Performers to supervise, and the running container of each, if it has one.
  var kept: [(record: PerformerRecord, containerID: String?)] = []
  /// Performers to deploy: configured ones, and ones whose limits have changed.
  var deployments: [StandingOrder] = []
}

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

/// Carries out a `ReconciliationPlan`: what a daemon does at its start about performers that an earlier one left. May be
/// repeated.
struct PerformerRecovery: Sendable {
  let runtime: DockerRuntime
  let store: any PerformerStore
  let logger: Logger

  func recover(
    configured: [PerformerSpec], allotments: [EthereumAddress: PerformerAllotment]
  ) async throws(RecoveryError) -> RecoveredPerformers {
    let records: [PerformerRecord]
    let containers: [ReconciliationPlan.Container]
    do { records = try await store.performers() } catch { throw .store(error) }
    do { containers = try await runtime.ownContainers() } catch { throw .docker(error) }
    let plan = ReconciliationPlan(
      stored: records.map(ReconciliationPlan.Stored.init), containers: containers, configured: configured,
      allotments: allotments)
    try await cleanUp(plan)
    return RecoveredPerformers(
      kept: try await kept(records, plan),
      deployments: plan.deployments.map { StandingOrder(configured: $0) } + plan.renewals.map { StandingOrder(renewal: $0) })
  }

  private func cleanUp(_ plan: ReconciliationPlan) async throws(RecoveryError) {
    for id in plan.removedPerformers {
      do { try await store.deletePerformer(id: id) } catch { throw .store(error) }
      logger.notice("forgot a performer that is not wanted any more", metadata: ["performer": "\(id)"])
    }
    for id in plan.removedContainers {
      do throws(DockerError) {
        try await runtime.discard(id)
        logger.notice("removed a container that no performer claims", metadata: ["container": "\(id.prefix(12))"])
      } catch {
        if error.isEngineDown { throw .docker(error) }
        logger.warning(
          "a container that no performer claims cannot be removed",
          metadata: ["container": "\(id.prefix(12))", "reason": "\(error)"])
      }
    }
  }

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
}

extension ReconciliationPlan.Stored {
  init(_ record: PerformerRecord) {
    self.init(
      performerID: record.id, spec: record.spec, replica: record.replica, origin: record.origin, isStaged: record.role == .staged,
      generation: record.generation, containerID: record.containerID, createdAt: record.createdAt)
  }
}
