import PonosCore
import PonosDocker
import Synchronization

/// Brings a new performer up beside whatever serves its AVS: image, record, container, health. Putting it in service is not its
/// business.
struct PerformerStaging: Sendable {
  let launcher: PerformerLauncher
  let images: ImageStore
  let store: any ExecutorStore
  let board: PerformerBoard
  let settings: PerformerSettings
  let observe: @Sendable (PerformerEvent) -> Void

  /// A performer that serves and is not in service yet.
  struct Staged: Sendable {
    let record: PerformerRecord
    let machine: PerformerStateMachine
    let launched: LaunchedPerformer
  }

  /// Returns when the performer serves. After an error no record and no container of it are left; its last words stay on the board.
  func stage(_ wanted: PerformerRecord) async throws(DeploymentError) -> Staged {
    var machine = PerformerStateMachine(deploying: settings.probes, policy: settings.restarts)
    board.put(PerformerSnapshot(wanted))
    do throws(DeploymentError) {
      do { try await store.save(wanted) } catch { throw DeploymentError(error) }
      return try await bringUp(wanted, &machine)
    } catch {
      _ = machine.handle(.startFailed(error.description), at: .now)
      board.update(wanted.id) { entry in
        entry.state = .failed
        entry.containerID = nil
        entry.lastError = error.description
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
    let image = try await image(of: wanted, &machine)
    _ = machine.handle(.starting, at: .now)
    board.update(wanted.id) { $0.state = .starting }
    let identity = ContainerIdentity(performerID: wanted.id, avs: wanted.spec.avs, generation: wanted.generation)
    let launched = try await launcher.launch(identity, spec: wanted.spec, image: image) { id throws(StoreError) in
      var record = wanted
      record.containerID = id
      try await store.save(record)
      board.update(wanted.id) { entry in
        entry.containerID = id
        entry.containerHealthy = true
      }
    }
    _ = machine.handle(.serving, at: .now)
    var record = wanted
    record.containerID = launched.containerID
    return Staged(record: record, machine: machine, launched: launched)
  }

  private func image(
    of wanted: PerformerRecord, _ machine: inout PerformerStateMachine
  ) async throws(DeploymentError) -> ResolvedImage {
    let start = ContinuousClock.now
    let wasPulled = Atomic(false)
    do throws(DockerError) {
      let image = try await images.resolve(wanted.spec.image, policy: wanted.spec.pullPolicy) {
        wasPulled.store(true, ordering: .relaxed)
        board.update(wanted.id) { $0.state = .pulling }
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

  private func forget(_ performerID: String) async throws(DeploymentError) {
    do { try await store.deletePerformer(id: performerID) } catch { throw DeploymentError(error) }
  }
}
