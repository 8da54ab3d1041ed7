import PonosCore

/// Whether an AVS's performer can be given a task, and if not, whether that will pass.
enum PerformerReadiness {
  /// - Parameter isExpected: Whether there is, or may soon be, a performer of the AVS.
  static func obstacle(
    for avs: EthereumAddress, roster: PerformerRoster, isExpected: @autoclosure () -> Bool
  ) -> Rejection? {
    if roster.isServing(avs) { return nil }
    return isExpected() ? .performerUnavailable(avs: avs) : .noPerformer(avs: avs)
  }
}
