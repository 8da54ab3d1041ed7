import Logging
import PonosCore
import PonosDocker
import PonosStore

/// Replaces and removes the containers of performers in service, keeping their records in step.
struct PerformerRestorer: Sendable {
  let launcher: PerformerLauncher
  let images: ImageResolver
  let networks: PerformerNetworks
  let store: any PerformerStore
  let statuses: PerformerStatusTable
  let observe: @Sendable (PerformerEvent) -> Void
  let logger: Logger

  /// Creates the container that `record` describes in place of all others of the performer, and returns when it serves. May be
  /// repeated with the same record.
  func restore(_ record: PerformerRecord) async throws(DeploymentError) -> LaunchedPerformer {
    do { try await store.save(record) } catch { throw DeploymentError(error) }
    let image = try await image(of: record)
    try await launcher.clear(record.id)
    return try await launcher.launch(
      record.identity, spec: record.spec, image: image,
      created: { id throws(StoreError) in
        try await store.save(record.with(containerID: id, imageID: image.id))
        statuses.update(record.id) { entry in
          entry.containerID = id
          entry.restarts += 1
        }
        observe(.restarted(avs: record.spec.avs))
      }, started: { statuses.update(record.id) { $0.containerHealthy = true } })
  }

  /// The image the performer was put in service with, so that a tag that has moved on does not change what is in service. Where
  /// the engine does not hold it any more, it is found as for a deployment, but a registry is asked only for an image that is not
  /// here.
  private func image(of record: PerformerRecord) async throws(DeploymentError) -> ResolvedImage {
    do throws(DockerError) {
      if let id = record.imageID {
        if let image = try await images.held(id: id) { return image }
        logger.warning(
          "the image of a performer is not on this host any more: looking it up by its name",
          metadata: ["performer": "\(record.id)", "image": "\(record.spec.image)", "id": "\(id)"])
      }
      let policy = record.spec.pullPolicy == .never ? PullPolicy.never : .ifNotPresent
      return try await images.resolve(record.spec.image, policy: policy) {}
    } catch {
      throw DeploymentError(error)
    }
  }

  /// Forgets a performer: it is not created again.
  func forget(_ performerID: String) async -> Result<Void, RemovalError> {
    do throws(StoreError) {
      try await store.deletePerformer(id: performerID)
      return .success(())
    } catch {
      return .failure(
        RemovalError(
          .storeFailed,
          "\(performerID) is out of service but would come back with the next start: \(error). Remove it again after that."))
    }
  }

  /// Takes away the containers of a performer that was forgotten. What the engine does not remove now is removed at a later
  /// comparison, since no performer claims it.
  func removeContainers(of record: PerformerRecord, withNetwork: Bool) async {
    do throws(DockerError) {
      try await launcher.runtime.removeAll(of: record.id, isGraceful: true)
      if withNetwork { try await networks.remove(for: record.spec.avs) }
    } catch {
      logger.warning("containers of a removed performer stay for now", metadata: ["reason": "\(error)"])
    }
  }
}
