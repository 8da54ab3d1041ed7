/// The two ends of a session: one aggregator, and the AVS all of its tasks are for.
package struct StreamParty: Hashable, Sendable {
  /// Operator address of the aggregator.
  package var aggregator: EthereumAddress
  package var avs: EthereumAddress

  package init(aggregator: EthereumAddress, avs: EthereumAddress) {
    self.aggregator = aggregator
    self.avs = avs
  }
}
