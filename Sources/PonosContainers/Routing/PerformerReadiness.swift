import PonosCore

/// Whether an AVS's performers can be given a task, and if not, whether that will pass.
package enum PerformerReadiness {
  /// - Parameters:
  ///   - isTooLarge: Whether the host has not what the performer of the AVS may use.
  ///   - isExpected: Whether there is, or may soon be, a performer of the AVS.
  package static func obstacle(
    for avs: EthereumAddress, roster: PerformerRoster, isTooLarge: @autoclosure () -> Bool = false,
    isExpected: @autoclosure () -> Bool
  ) -> Rejection? {
    if let open = roster.breakersOpen(avs) { return open > .zero ? .circuitOpen(avs: avs, retryAfter: open) : nil }
    if isTooLarge() { return .insufficientResources(avs: avs) }
    return isExpected() ? .performerUnavailable(avs: avs) : .noPerformer(avs: avs)
  }
}
