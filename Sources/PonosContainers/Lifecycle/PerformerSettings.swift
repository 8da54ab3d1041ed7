import PonosCore

/// How performers are brought up, watched and taken down; the same for all of them.
package struct PerformerSettings: Sendable {
  /// Network of the engine that containers join, created when missing; nil for an internal one of our own for each AVS.
  package var networkName: String?
  package var probes: ProbeSettings
  package var restarts: RestartPolicy
  /// Time a performer that is replaced or removed gets to finish its tasks.
  package var drainLimit: Duration
  /// Time an image pull may take.
  package var pullLimit: Duration
  /// Time an image pull may go without progress.
  package var pullIdleLimit: Duration
  /// Time between SIGTERM and SIGKILL. From the Hourglass performer contract.
  package var stopGrace: Duration
  /// Time between two comparisons of the engine's containers and networks with what should be there.
  package var comparisonInterval: Duration
  /// Variables dropped from deployments that come over the network.
  package var environmentDenyList: EnvironmentDenyList

  package init(
    networkName: String? = nil, probes: ProbeSettings = .standard, restarts: RestartPolicy = .standard,
    drainLimit: Duration = .seconds(90), pullLimit: Duration = .seconds(1800), pullIdleLimit: Duration = .seconds(60),
    stopGrace: Duration = .seconds(10), comparisonInterval: Duration = .seconds(30),
    environmentDenyList: EnvironmentDenyList = .standard
  ) {
    self.networkName = networkName
    self.probes = probes
    self.restarts = restarts
    self.drainLimit = drainLimit
    self.pullLimit = pullLimit
    self.pullIdleLimit = pullIdleLimit
    self.stopGrace = stopGrace
    self.comparisonInterval = comparisonInterval
    self.environmentDenyList = environmentDenyList
  }
}
