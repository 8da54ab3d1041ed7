import Foundation
import PonosCore
import PonosDocker

/// The containers and networks that a daemon made for its AVSs, as the Docker engine sees them.
struct PerformerContainers: Sendable {
  let avs: [EthereumAddress]

  private static let engine = Result {
    DockerClient(endpoint: try DockerEndpoint.fromEnvironment(ProcessInfo.processInfo.environment))
  }

  /// Running and ended ones.
  func all() async throws -> [ContainerSummary] {
    let docker = try Self.engine.get()
    var found: [ContainerSummary] = []
    for address in avs { found += try await docker.containers(labels: [Self.label(address)], all: true) }
    return found
  }

  func running() async throws -> [ContainerSummary] {
    try await all().filter { $0.state == "running" }
  }

  /// The only container that runs; throws when there is none, or more than one.
  func theOnlyOne() async throws -> ContainerSummary {
    let running = try await running()
    guard running.count == 1 else {
      throw DidNotHappen(description: "one container should run, but these do: \(running.map(\.names))")
    }
    return running[0]
  }

  func kill(_ id: String) async throws {
    try await Self.engine.get().killContainer(id)
  }

  /// What the engine itself says of a container, as the JSON object its command line prints.
  static func inspect(_ id: String) async throws -> [String: Any] {
    let text = try await Command.run("docker", "inspect", "--type", "container", id)
    let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
    guard let object = list?.first else { throw DidNotHappen(description: "docker inspect printed no object: \(text)") }
    return object
  }

  /// Removes them all, and their networks; whatever state they are in.
  func removeAll() async throws {
    let docker = try Self.engine.get()
    for container in try await all() { try await docker.removeContainer(container.id, force: true) }
    for address in avs {
      for network in try await docker.networks(labels: [Self.label(address)]) {
        try await docker.removeNetwork(network.id)
      }
    }
  }

  private static func label(_ avs: EthereumAddress) -> String { "dev.ponos.avs=\(avs)" }
}
