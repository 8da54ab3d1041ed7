import PonosCore
import PonosDocker

/// Waits for a container that was started to serve.
struct ContainerStartup: Sendable {
  let runtime: DockerRuntime
  let probes: ProbeSettings
  /// Makes the connection to a container.
  let connect: @Sendable (PerformerEndpoint) throws -> any PerformerConnection

  /// Connects to a container, and returns when it serves. Throws when it ends first, or does not serve within the startup limit.
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

  /// What comes first: service, the end of the container, or the startup limit.
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

  /// Probes until the performer serves, at growing intervals, within the startup limit.
  private func outcomeOfProbes(_ endpoint: PerformerEndpoint) async -> Outcome {
    let deadline = ContinuousClock.now + probes.startupLimit
    var pause = probes.startupInterval.lowerBound
    var connection: (any PerformerConnection)?
    var lastReport = "it was not asked"
    while !Task.isCancelled, ContinuousClock.now < deadline {
      do {
        let current = try connection ?? connect(endpoint)
        connection = current
        switch await current.probe.check(timeout: probes.timeout) {
        case .serving: return .serving(current)
        case .notServing(let report): lastReport = report
        case .unreachable(let report), .timedOut(let report):
          lastReport = report
          // A connection that was refused waits before it tries again, longer than we do.
          await current.close()
          connection = nil
        }
      } catch {
        lastReport = "\(error)"
      }
      try? await Task.sleep(for: pause)
      pause = min(pause * 5 / 4, probes.startupInterval.upperBound)
    }
    await connection?.close()
    return .notServing(lastReport)
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
}
