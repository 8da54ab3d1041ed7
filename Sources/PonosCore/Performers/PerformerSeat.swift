/// One of the places from which performers serve an AVS.
package struct PerformerSeat: Hashable, Sendable {
  package var avs: EthereumAddress
  /// Number among the replicas of the AVS, from 0.
  package var replica: Int

  package init(avs: EthereumAddress, replica: Int) {
    self.avs = avs
    self.replica = replica
  }
}
