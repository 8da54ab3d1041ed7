import PonosCore

/// Whether an AVS's performer can be given a task, and if not, whether that will pass.
enum PerformerReadiness {
  static func obstacle(
    for avs: EthereumAddress, roster: PerformerRoster, performers: @autoclosure () -> [PerformerSnapshot]
  ) -> Rejection? {
    if roster.isServing(avs) { return nil }
    return performers().contains { $0.avs == avs } ? .performerUnavailable(avs: avs) : .noPerformer(avs: avs)
  }
}
