/// What the configuration grants every performer of an AVS, however it was deployed.
package struct PerformerAllotment: Sendable, Equatable {
  /// Tasks the performer is given at a time, at least 1.
  package var concurrency: Int
  package var limits: ResourceLimits
  package var interface: PerformerInterface

  package init(concurrency: Int, limits: ResourceLimits, interface: PerformerInterface = .standard) {
    self.concurrency = concurrency
    self.limits = limits
    self.interface = interface
  }
}
