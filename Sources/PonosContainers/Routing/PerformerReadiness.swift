import PonosCore

/// Whether an AVS's performers can be given a task, and if not, whether that will pass.
package struct PerformerReadiness: Sendable {
  let roster: PerformerRoster
  let resources: HostResources

  package init(roster: PerformerRoster, resources: HostResources) {
    self.roster = roster
    self.resources = resources
  }

  /// Why the AVS can be given no task now; nil when it can.
  ///
  /// - Parameter isExpected: Whether there is, or may soon be, a performer of the AVS.
  package func obstacle(for avs: EthereumAddress, isExpected: @autoclosure () -> Bool) -> Rejection? {
    if let open = roster.breakersOpen(avs) { return open > .zero ? .circuitOpen(avs: avs, retryAfter: open) : nil }
    if resources.hasRefused(avs) { return .insufficientResources(avs: avs) }
    return isExpected() ? .performerUnavailable(avs: avs) : .noPerformer(avs: avs)
  }
}
