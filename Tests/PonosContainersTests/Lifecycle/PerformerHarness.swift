import Foundation
import Logging
import PonosContainers
import PonosContainersTesting
import PonosCore
import PonosDocker
import PonosStore
import PonosTesting
import Testing

/// A performer service on the real engine with a store of its own, and everything around it that a test looks at.
final class PerformerHarness: Sendable {
  let docker: DockerClient
  let store: any ExecutorStore
  let roster = PerformerRoster { _ in }
  let performers: FakePerformers
  let service: PerformerService
  let events = Collected<PerformerEvent>()

  /// Fast enough for tests; the limits are far from what a slow machine needs.
  static var settings: PerformerSettings {
    PerformerSettings(
      probes: ProbeSettings(interval: .milliseconds(200), timeout: .seconds(2), startupLimit: .seconds(20)),
      restarts: RestartPolicy(firstDelay: .milliseconds(50), longestDelay: .milliseconds(500)),
      drainLimit: .seconds(20), pullIdleLimit: .seconds(5), stopGrace: .seconds(2))
  }

  private init(
    docker: DockerClient, store: any ExecutorStore, performers: FakePerformers, configured: [PerformerSpec],
    allotments: [EthereumAddress: PerformerAllotment], settings: PerformerSettings
  ) {
    self.docker = docker
    self.store = store
    self.performers = performers
    service = PerformerService(
      docker: docker, store: store, roster: roster, configured: configured, allotments: allotments, settings: settings,
      executorEnvironment: ["STUB_SOURCE": "from the daemon"], observe: { [events] in events.append($0) },
      connect: { performers.connect($0) }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  static func engine() throws -> DockerClient {
    DockerClient(endpoint: try DockerEndpoint.fromEnvironment(ProcessInfo.processInfo.environment))
  }

  /// Runs a service while `body` runs. Containers stay, as they do for a daemon that ends.
  static func run(
    store: any ExecutorStore, performers: FakePerformers = FakePerformers(), configured: [PerformerSpec] = [],
    allotments: [EthereumAddress: PerformerAllotment] = [:], settings: PerformerSettings = settings, docker: DockerClient? = nil,
    _ body: @Sendable (PerformerHarness) async throws -> Void
  ) async throws {
    let docker = try docker ?? engine()
    let harness = PerformerHarness(
      docker: docker, store: store, performers: performers, configured: configured, allotments: allotments, settings: settings)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await harness.service.run() }
      defer { group.cancelAll() }
      try await body(harness)
    }
  }

  /// Gives `body` the store, and removes every container and network of its installation afterwards.
  static func withInstallation(
    _ store: any ExecutorStore = MemoryStore(), _ body: (any ExecutorStore) async throws -> Void
  ) async throws {
    let docker = try engine()
    _ = try await StubImage.ensure(on: docker)
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(store)) } catch { outcome = .failure(error) }
    let label = "\(ContainerLabels.installation)=\(try await store.installationID())"
    for container in try await docker.containers(labels: [label], all: true) {
      try await docker.removeContainer(container.id, force: true)
    }
    for network in try await docker.networks(labels: [label]) { try await docker.removeNetwork(network.id) }
    try outcome.get()
  }

  /// Containers of the installation, ended ones too.
  func containers() async throws -> [ContainerSummary] {
    let label = "\(ContainerLabels.installation)=\(try await store.installationID())"
    return try await docker.containers(labels: [label], all: true)
  }

  /// Networks of the installation.
  func networks() async throws -> [NetworkDetails] {
    try await docker.networks(labels: ["\(ContainerLabels.installation)=\(try await store.installationID())"])
  }

  /// Whether neither container nor record is left.
  func isEmpty() async throws -> Bool {
    guard try await containers().isEmpty else { return false }
    return try await store.performers().isEmpty
  }

  /// Why the specification cannot be deployed; nil when it can.
  func refusal(_ spec: PerformerSpec) async -> DeploymentError? {
    do throws(DeploymentError) {
      _ = try await service.deploy(spec, origin: .deployment)
      return nil
    } catch {
      return error
    }
  }

  /// Why the performer cannot be removed; nil when it can.
  func refusal(toRemove performerID: String) async -> RemovalError? {
    do throws(RemovalError) {
      try await service.remove(performerID: performerID)
      return nil
    } catch {
      return error
    }
  }

  func snapshot(_ performerID: String) -> PerformerSnapshot? {
    service.snapshots().first { $0.performerID == performerID }
  }

  /// What is seen of the only performer; nil when there are none or several.
  var onlyPerformer: PerformerSnapshot? {
    let snapshots = service.snapshots()
    return snapshots.count == 1 ? snapshots[0] : nil
  }
}

extension PerformerSpec {
  /// A performer from the stub image in one of its modes.
  static func stub(_ avs: EthereumAddress, mode: String = "serve", environment: [EnvironmentVariable] = []) -> PerformerSpec {
    var limits = ResourceLimits.standard
    limits.memoryBytes = 32 << 20
    return PerformerSpec(
      avs: avs, image: ImageReference(repository: StubImage.repository, tag: StubImage.tag, digest: nil), pullPolicy: .never,
      environment: [EnvironmentVariable(name: "STUB_MODE", source: .literal(mode))] + environment, limits: limits)
  }
}
