import PonosCore
import PonosDocker
import PonosStore

/// A container that serves, and the line to it.
struct LaunchedPerformer: Sendable {
  let containerID: String
  /// nil for one that was not created now but found.
  var imageID: String?
  let connection: CountingConnection
}

/// Brings one container from nothing to service, or takes it away again.
struct PerformerLauncher: Sendable {
  let runtime: DockerRuntime
  let probes: ProbeSettings
  let connect: @Sendable (PerformerEndpoint) throws -> any PerformerConnection

  /// Creates a container, starts it, and returns when it serves. `created` is called with its id before it starts, `started`
  /// after. After an error, which carries the container's last words, nothing of it is left.
  func launch(
    _ identity: ContainerIdentity, spec: PerformerSpec, image: ResolvedImage,
    created: @Sendable (String) async throws(StoreError) -> Void, started: @Sendable () -> Void
  ) async throws(DeploymentError) -> LaunchedPerformer {
    let id: String
    do { id = try await runtime.create(identity, spec: spec, image: image) } catch { throw DeploymentError(error) }
    do throws(DeploymentError) {
      do { try await created(id) } catch { throw DeploymentError(error) }
      do { try await runtime.start(id) } catch { throw DeploymentError(error) }
      started()
      var launched = try await attach(to: id, identity, by: spec.interface)
      launched.imageID = image.id
      return launched
    } catch {
      throw await abandon(id, error)
    }
  }

  /// Takes away what containers a performer has. One that the engine cannot remove is no reason to leave the performer without a
  /// new one: it is removed at a later comparison.
  func clear(_ performerID: String) async throws(DeploymentError) {
    do throws(DockerError) {
      try await runtime.removeAll(of: performerID, isGraceful: false)
    } catch {
      guard error.isFaultOfContainer else { throw DeploymentError(error) }
    }
  }

  /// Connects to a container that was started, and returns when it serves.
  func attach(
    to id: String, _ identity: ContainerIdentity, by interface: PerformerInterface
  ) async throws(DeploymentError) -> LaunchedPerformer {
    let address: String?
    do { address = try await runtime.address(of: id) } catch { throw DeploymentError(error) }
    guard let address else { throw await exited(id) }
    let endpoint = PerformerEndpoint(
      performerID: identity.performerID, avs: identity.avs, host: address, interface: interface)
    switch await firstOutcome(of: id, endpoint) {
    case .serving(let connection):
      return LaunchedPerformer(
        containerID: id, connection: CountingConnection(connection, hangThreshold: probes.hangThreshold))
    case .ended: throw await exited(id)
    case .notServing(let report):
      if Task.isCancelled { throw .shuttingDown }
      throw await notServing(id, report, interface)
    case .unknown: throw .shuttingDown
    }
  }

  private enum Outcome: Sendable {
    case serving(any PerformerConnection)
    case notServing(String)
    case ended
    /// The engine did not answer; the probes decide.
    case unknown
  }

  /// What comes first: service, the end of the container, or of patience.
  private func firstOutcome(of id: String, _ endpoint: PerformerEndpoint) async -> Outcome {
    await withTaskGroup(of: Outcome.self) { group in
      group.addTask { await outcomeOfProbes(endpoint) }
      group.addTask { await outcomeOfWaiting(for: id) }
      var first = Outcome.unknown
      for await outcome in group {
        switch (first, outcome) {
        case (.unknown, .unknown): continue
        case (.unknown, _):
          first = outcome
          group.cancelAll()
        case (_, .serving(let late)): await late.close()
        default: break
        }
      }
      return first
    }
  }

  private func outcomeOfProbes(_ endpoint: PerformerEndpoint) async -> Outcome {
    let (connection, report) = await HealthMonitor(settings: probes).untilServing { try connect(endpoint) }
    return connection.map(Outcome.serving) ?? .notServing(report)
  }

  private func outcomeOfWaiting(for id: String) async -> Outcome {
    do throws(DockerError) {
      try await runtime.waitForEnd(of: id, limit: probes.startupLimit)
      return .ended
    } catch {
      return .unknown
    }
  }

  private func exited(_ id: String) async -> DeploymentError {
    let postMortem = await runtime.postMortem(of: id)
    return DeploymentError(
      .performerExited, "The container \(postMortem.reason) before it served. Its log says why.",
      logTail: postMortem.logTail)
  }

  private func notServing(_ id: String, _ report: String, _ interface: PerformerInterface) async -> DeploymentError {
    let postMortem = await runtime.postMortem(of: id)
    return DeploymentError(
      .performerNotServing,
      """
      The container \(postMortem.reason), but did not serve within \(probes.startupLimit): \(report). \
      \(interface.demand)
      """, logTail: postMortem.logTail)
  }

  /// Takes a container away that failed. One that cannot be removed now is found by its labels and removed later.
  private func abandon(_ id: String, _ error: DeploymentError) async -> DeploymentError {
    var error = error
    if error.code == .containerRefused {
      error = DeploymentError(error.code, error.message, logTail: await runtime.postMortem(of: id).logTail)
    }
    do { try await runtime.discard(id) } catch {}
    return error
  }
}
