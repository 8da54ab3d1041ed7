import Logging
import PonosContainersTesting
import PonosDocker
import PonosStore
@testable import PonosContainers

extension Supervision {
  /// What supervisors work with, on the engine behind `docker`, with the settings of `PerformerHarness` and no log.
  static func parts(
    docker: DockerClient, installationID: String, store: any ExecutorStore, roster: PerformerRoster = PerformerRoster { _ in },
    statuses: PerformerStatusTable, supervisors: SupervisorRegistry = SupervisorRegistry(),
    performers: FakePerformers = FakePerformers(), observe: @escaping @Sendable (PerformerEvent) -> Void = { _ in }
  ) -> (supervision: Supervision, networks: PerformerNetworks) {
    let settings = PerformerHarness.settings
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let networks = PerformerNetworks(docker: docker, installationID: installationID, joinedNetwork: nil)
    let runtime = DockerRuntime(
      docker: docker, installationID: installationID, networks: networks, executorEnvironment: [:], stopGrace: settings.stopGrace)
    let supervision = Supervision(
      launcher: PerformerLauncher(
        runtime: runtime,
        images: ImageResolver(docker: docker, pullLimit: settings.pullLimit, pullIdleLimit: settings.pullIdleLimit), store: store,
        startup: ContainerStartup(runtime: runtime, probes: settings.probes, connect: { performers.connect($0) }), logger: logger),
      retirement: PerformerRetirement(
        runtime: runtime, networks: networks, store: store, roster: roster, statuses: statuses, resources: HostResources(),
        drainLimit: settings.drainLimit, logger: logger),
      roster: roster, statuses: statuses, supervisors: supervisors, settings: settings, observe: observe, logger: logger)
    return (supervision, networks)
  }
}
