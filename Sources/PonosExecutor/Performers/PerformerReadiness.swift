import PonosCore

/// Whether an AVS's performers can be given a task, and if not, whether that will pass.
enum PerformerReadiness {
  /// - Parameter isExpected: Whether there is, or may soon be, a performer of the AVS.
  static func obstacle(
    for avs: EthereumAddress, roster: PerformerRoster, isExpected: @autoclosure () -> Bool
  ) -> Rejection? {
    if let open = roster.breakersOpen(avs) { return open > .zero ? .circuitOpen(avs: avs, retryAfter: open) : nil }
    return isExpected() ? .performerUnavailable(avs: avs) : .noPerformer(avs: avs)
  }
}
