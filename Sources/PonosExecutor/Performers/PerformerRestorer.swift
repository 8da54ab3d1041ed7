import Logging
import PonosCore
import PonosDocker

/// Replaces and removes the containers of performers in service, keeping their records in step.
struct PerformerRestorer: Sendable {
  let launcher: PerformerLauncher
  let images: ImageStore
  let networks: PerformerNetworks
  let store: any ExecutorStore
  let board: PerformerBoard

  /// Creates the container that `replacement` describes in place of the one of `failed`, and returns when it serves.
  func restore(
    _ replacement: PerformerRecord, from failed: PerformerRecord
  ) async throws(DeploymentError) -> LaunchedPerformer {
    do { try await store.save(replacement) } catch { throw DeploymentError(error) }
    let image = try await image(for: replacement, from: failed)
    do { try await launcher.runtime.removeAll(of: replacement.id, isGraceful: false) } catch { throw DeploymentError(error) }
    return try await launcher.launch(replacement.identity, spec: replacement.spec, image: image) { id throws(StoreError) in
      var record = replacement
      record.containerID = id
      try await store.save(record)
      board.update(record.id) { $0.containerID = id }
    }
  }

  /// The image the failed container ran, so that a tag that has moved on does not change what is in service. Without such a
  /// container it is found as for a deployment, but a registry is asked only for an image that is not here.
  private func image(
    for replacement: PerformerRecord, from failed: PerformerRecord
  ) async throws(DeploymentError) -> ResolvedImage {
    do throws(DockerError) {
      if let containerID = failed.containerID, let id = try await launcher.runtime.imageID(of: containerID),
        let image = try await images.held(id: id)
      {
        return image
      }
      let policy = replacement.spec.pullPolicy == .never ? PullPolicy.never : .ifNotPresent
      return try await images.resolve(replacement.spec.image, policy: policy) {}
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
  func removeContainers(of record: PerformerRecord, withNetwork: Bool, logger: Logger) async {
    do throws(DockerError) {
      try await launcher.runtime.removeAll(of: record.id, isGraceful: true)
      if withNetwork { try await networks.remove(for: record.spec.avs) }
    } catch {
      logger.warning("containers of a removed performer stay for now", metadata: ["reason": "\(error)"])
    }
  }
}
