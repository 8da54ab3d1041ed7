import Foundation
import PonosCore
import PonosDocker

/// Performers' containers on a Docker Engine: creates them hardened and labelled, finds them again, and takes them away.
package struct DockerRuntime: Sendable {
  let docker: DockerClient
  let installationID: String
  let networks: PerformerNetworks
  /// The daemon's own environment, for variables that performers take from it.
  let executorEnvironment: [String: String]
  /// Time a container gets between SIGTERM and SIGKILL.
  let stopGrace: Duration

  private var ownership: String { "\(ContainerLabels.installation)=\(installationID)" }

  /// Creates the container of `identity` and returns its id.
  func create(
    _ identity: ContainerIdentity, spec: PerformerSpec, image: ResolvedImage
  ) async throws(DockerError) -> String {
    let network = try await networks.ensure(for: identity.avs)
    let container = ContainerHardening.creation(
      of: spec, image: image, environment: environment(of: spec),
      labels: identity.labels(installationID: installationID), network: network)
    return try await docker.createContainer(container, name: Self.name(for: identity.avs))
  }

  func start(_ id: String) async throws(DockerError) {
    try await docker.startContainer(id)
  }

  /// Where the container can be reached; nil while it does not run. The address of a stopped container may already belong to
  /// another one, so the answer is only as old as this call.
  func address(of id: String) async throws(DockerError) -> String? {
    let details = try await docker.container(id)
    guard details.id == id, details.state.isRunning else { return nil }
    return details.addresses.sorted { $0.key < $1.key }.map(\.value).first { !$0.isEmpty }
  }

  /// Returns once the container has ended. Throws `timedOut` when it still runs after `limit`.
  func waitForEnd(of id: String, limit: Duration) async throws(DockerError) {
    _ = try await docker.waitForContainer(id, limit: limit)
  }

  /// The warning about an engine that does not filter system calls; nil when it does.
  func missingSeccomp() async throws(DockerError) -> String? {
    if try await docker.info().seccompProfile != nil { return nil }
    return """
      the engine filters no system calls of performers: it has no seccomp profile, or runs with 'unconfined'. Start dockerd \
      without --seccomp-profile=unconfined, on a kernel with seccomp
      """
  }

  /// What the engine's host has for containers.
  func hostCapacity() async throws(DockerError) -> HostCapacity {
    let host = try await docker.info()
    return HostCapacity(memoryBytes: host.memoryBytes, cpus: host.cpus)
  }

  /// Id of the image the container was created from; nil when the container is gone.
  func imageID(of id: String) async throws(DockerError) -> String? {
    do {
      return try await docker.container(id).imageID
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  /// Every container of this installation, ended ones too.
  func ownContainers() async throws(DockerError) -> [ReconciliationPlan.Container] {
    try await docker.containers(labels: [ownership], all: true).map { container in
      ReconciliationPlan.Container(
        id: container.id, performerID: container.labels[ContainerLabels.performer],
        generation: container.labels[ContainerLabels.generation].flatMap { Int($0) },
        isRunning: container.state == "running")
    }
  }

  /// Takes a container away at once.
  func discard(_ id: String) async throws(DockerError) {
    try await docker.removeContainer(id, force: true)
  }

  /// Takes all containers of a performer away; running ones are asked to end first if `isGraceful` is set. One that cannot be
  /// removed does not keep the others; it is reported in the end.
  func removeAll(of performerID: String, isGraceful: Bool) async throws(DockerError) {
    let labels = [ownership, "\(ContainerLabels.performer)=\(performerID)"]
    var failure: DockerError?
    for container in try await docker.containers(labels: labels, all: true) {
      do throws(DockerError) {
        if isGraceful, container.state == "running" { try await stop(container.id) }
        try await docker.removeContainer(container.id, force: true)
      } catch {
        guard error.isFaultOfContainer else { throw error }
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private func stop(_ id: String) async throws(DockerError) {
    do {
      try await docker.stopContainer(id, grace: stopGrace)
    } catch {
      guard error.code == .notFound else { throw error }
    }
  }

  /// Calls `handle` for each container of ours that ends or runs out of memory. See `DockerClient.containerEvents`.
  func events(
    opened: @Sendable () async throws -> Void, handle: @Sendable (EngineEvent) async throws -> Void
  ) async throws(DockerError) {
    try await docker.containerEvents(labels: [ownership], actions: ["die", "oom"], opened: opened, handle: handle)
  }

  /// `NAME=VALUE` each, exactly the configured list. A variable the daemon does not have becomes empty.
  private func environment(of spec: PerformerSpec) -> [String] {
    spec.environment.map { variable in
      switch variable.source {
      case .literal(let value): "\(variable.name)=\(value)"
      case .executorEnvironment(let source): "\(variable.name)=\(executorEnvironment[source] ?? "")"
      }
    }
  }

  private static func name(for avs: EthereumAddress) -> String {
    "ponos-\(Hex.encode(avs.bytes.prefix(3)))-\(UUID().uuidString.prefix(8).lowercased())"
  }
}

extension DockerError {
  /// Whether the engine works and only this container or network resists, so that others can still be dealt with.
  var isFaultOfContainer: Bool { !isEngineDown && code != .cancelled }
}
