import Logging
import PonosCore
import PonosDocker
import PonosStore
import PonosTelemetry
import Synchronization

/// A container that serves, and the connection to it.
struct LaunchedPerformer: Sendable {
  let containerID: String
  /// nil for a container that was not created now but found.
  var imageID: String?
  let connection: CountingConnection
}

/// Brings a performer's container from nothing to service, keeping the performer's record in step: image, removal of earlier
/// containers, creation, start, first answer. Deployments and supervisors launch alike.
struct PerformerLauncher: Sendable {
  /// How far a launch has come.
  enum Step: Sendable {
    /// A registry is being asked for the image.
    case pulling
    /// The image was brought from its registry in this time.
    case pulled(Duration)
    /// The image is here; the container is about to be created.
    case starting
    /// The container was created and is written down.
    case created(containerID: String)
    /// The container runs.
    case started
  }

  let runtime: DockerRuntime
  let images: ImageResolver
  let store: any PerformerStore
  let startup: ContainerStartup
  let logger: Logger

  /// Creates the container that `record` describes in place of all others of the performer, and returns when it serves. After an
  /// error, which carries the container's last words, nothing of it is left. May be repeated with the same record.
  func launch(
    _ record: PerformerRecord, took step: @Sendable (Step) -> Void
  ) async throws(DeploymentError) -> LaunchedPerformer {
    do { try await store.save(record) } catch { throw DeploymentError(error) }
    let image = try await image(of: record, took: step)
    step(.starting)
    try await clear(record.id)
    let id: String
    do { id = try await runtime.create(record.identity, spec: record.spec, image: image) } catch { throw DeploymentError(error) }
    do throws(DeploymentError) {
      return try await start(record.with(containerID: id, imageID: image.id), id, took: step)
    } catch {
      throw await abandon(id, error)
    }
  }

  private func start(
    _ record: PerformerRecord, _ id: String, took step: @Sendable (Step) -> Void
  ) async throws(DeploymentError) -> LaunchedPerformer {
    do { try await store.save(record) } catch { throw DeploymentError(error) }
    step(.created(containerID: id))
    do { try await runtime.start(id) } catch { throw DeploymentError(error) }
    step(.started)
    var launched = try await startup.attach(to: id, record.identity, by: record.spec.interface)
    launched.imageID = record.imageID
    return launched
  }

  // MARK: Images

  /// The image of a new performer, or the one that a performer in service was put in service with, so that a tag that has moved
  /// on does not change what is in service.
  private func image(
    of record: PerformerRecord, took step: @Sendable (Step) -> Void
  ) async throws(DeploymentError) -> ResolvedImage {
    do throws(DockerError) {
      if let image = try await recordedImage(of: record) { return image }
      let start = ContinuousClock.now
      let wasPulled = Atomic(false)
      let image = try await images.resolve(record.spec.image, policy: record.pullPolicy) {
        wasPulled.store(true, ordering: .relaxed)
        step(.pulling)
      }
      if wasPulled.load(ordering: .relaxed) { step(.pulled(ContinuousClock.now - start)) }
      return image
    } catch {
      throw DeploymentError(error)
    }
  }

  private func recordedImage(of record: PerformerRecord) async throws(DockerError) -> ResolvedImage? {
    guard let id = record.imageID else { return nil }
    if let image = try await images.held(id: id) { return image }
    logger.warning(
      "the image of a performer is not on this host any more: looking it up by its name",
      metadata: [
        LogKey.performerID: "\(record.id)", LogKey.avs: "\(record.spec.avs)", LogKey.image: "\(record.spec.image) (\(id))",
      ])
    return nil
  }

  // MARK: Containers

  /// Removes the containers that earlier launches of the performer left. One that the engine cannot remove does not keep the
  /// performer from a new one: it is removed at a later comparison.
  private func clear(_ performerID: String) async throws(DeploymentError) {
    do throws(DockerError) {
      try await runtime.removeAll(of: performerID, isGraceful: false)
    } catch {
      guard error.isFaultOfContainer else { throw DeploymentError(error) }
    }
  }

  /// Removes a container that failed. One that cannot be removed now is found by its labels and removed later.
  private func abandon(_ id: String, _ error: DeploymentError) async -> DeploymentError {
    var error = error
    if error.code == .containerRefused {
      error = DeploymentError(error.code, error.message, logTail: await runtime.postMortem(of: id).logTail)
    }
    do { try await runtime.discard(id) } catch {}
    return error
  }
}

extension PerformerRecord {
  /// When a registry is asked for the image: as its specification says for a deployment, and for a performer in service only when
  /// the engine does not hold the image.
  fileprivate var pullPolicy: PullPolicy {
    switch (role, spec.pullPolicy) {
    case (.inService, .always): .ifNotPresent
    case (_, let policy): policy
    }
  }
}
