/// What the configuration grants the performers of an AVS, however they were deployed.
package struct PerformerAllotment: Sendable, Equatable {
  /// Tasks the performer is given at a time, at least 1.
  package var concurrency: Int
  package var limits: ResourceLimits
  package var interface: PerformerInterface
  /// Performers that serve at a time, at least 1.
  package var replicas: Int

  package init(
    concurrency: Int, limits: ResourceLimits, interface: PerformerInterface = .standard, replicas: Int = 1
  ) {
    self.concurrency = concurrency
    self.limits = limits
    self.interface = interface
    self.replicas = replicas
  }
}
