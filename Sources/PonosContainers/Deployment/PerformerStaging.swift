import PonosCore
import PonosDocker
import PonosStore
import Synchronization

/// Brings a new performer up beside whatever serves its AVS: image, record, container, health. Putting it in service is not its
/// business.
struct PerformerStaging: Sendable {
  let launcher: PerformerLauncher
  let images: ImageResolver
  let store: any PerformerStore
  let statuses: PerformerStatusTable
  let settings: PerformerSettings
  let observe: @Sendable (PerformerEvent) -> Void

  /// A performer that serves and is not in service yet.
  struct Staged: Sendable {
    let record: PerformerRecord
    let machine: PerformerStateMachine
    let launched: LaunchedPerformer
  }

  /// Returns when the performer serves. After an error no record and no container of it are left; its last words stay on the
  /// statuses.
  func stage(_ wanted: PerformerRecord) async throws(DeploymentError) -> Staged {
    var machine = PerformerStateMachine(deploying: settings.probes, policy: settings.restarts)
    var snapshot = PerformerSnapshot(wanted)
    // So it stays between two attempts.
    snapshot.isTooLargeForHost = statuses.entry(wanted.id)?.isTooLargeForHost ?? false
    statuses.put(snapshot)
    do throws(DeploymentError) {
      do { try await store.save(wanted) } catch { throw DeploymentError(error) }
      return try await bringUp(wanted, &machine)
    } catch {
      _ = machine.handle(.startFailed(error.description), at: .now)
      statuses.update(wanted.id) { entry in
        entry.state = .failed
        entry.containerID = nil
        entry.containerHealthy = false
        entry.lastError = error.description
        entry.isTooLargeForHost = error.code == .insufficientResources
        entry.logTail = error.logTail
      }
      // When the daemon ends in the middle, the staged record stays for the next start to roll back.
      if error.code != .shuttingDown { try await forget(wanted.id) }
      throw error
    }
  }

  private func bringUp(
    _ wanted: PerformerRecord, _ machine: inout PerformerStateMachine
  ) async throws(DeploymentError) -> Staged {
    try await checkResources(of: wanted.spec)
    let image = try await image(of: wanted, &machine)
    _ = machine.handle(.starting, at: .now)
    statuses.update(wanted.id) { $0.state = .starting }
    // An earlier attempt at the same performer may have left a container that the engine would not remove then.
    try await launcher.clear(wanted.id)
    let launched = try await launcher.launch(
      wanted.identity, spec: wanted.spec, image: image,
      created: { id throws(StoreError) in
        try await store.save(wanted.with(containerID: id, imageID: image.id))
        statuses.update(wanted.id) { $0.containerID = id }
      }, started: { statuses.update(wanted.id) { $0.containerHealthy = true } })
    _ = machine.handle(.serving, at: .now)
    return Staged(
      record: wanted.with(containerID: launched.containerID, imageID: image.id), machine: machine, launched: launched)
  }

  private func image(
    of wanted: PerformerRecord, _ machine: inout PerformerStateMachine
  ) async throws(DeploymentError) -> ResolvedImage {
    let start = ContinuousClock.now
    let wasPulled = Atomic(false)
    do throws(DockerError) {
      let image = try await images.resolve(wanted.spec.image, policy: wanted.spec.pullPolicy) {
        wasPulled.store(true, ordering: .relaxed)
        statuses.update(wanted.id) { $0.state = .pulling }
      }
      if wasPulled.load(ordering: .relaxed) {
        _ = machine.handle(.pulling, at: .now)
        observe(.imagePulled(avs: wanted.spec.avs, ContinuousClock.now - start))
      }
      return image
    } catch {
      throw DeploymentError(error)
    }
  }

  private func checkResources(of spec: PerformerSpec) async throws(DeploymentError) {
    let shortage: String?
    do { shortage = try await launcher.runtime.shortage(for: spec.limits) } catch { throw DeploymentError(error) }
    if let shortage { throw DeploymentError(.insufficientResources, "The performer is too large for this host: \(shortage).") }
  }

  private func forget(_ performerID: String) async throws(DeploymentError) {
    do { try await store.deletePerformer(id: performerID) } catch { throw DeploymentError(error) }
  }
}
