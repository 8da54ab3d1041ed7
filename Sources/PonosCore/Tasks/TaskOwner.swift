/// Whose a task is: the aggregator that submitted it, and the AVS it is for. A session serves one owner.
package struct TaskOwner: Hashable, Sendable {
  /// Operator address of the aggregator.
  package var aggregator: EthereumAddress
  package var avs: EthereumAddress

  package init(aggregator: EthereumAddress, avs: EthereumAddress) {
    self.aggregator = aggregator
    self.avs = avs
  }
}
