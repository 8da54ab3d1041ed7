/// Names one replica of an AVS: at most one performer is in service as it at a time.
package struct ReplicaID: Hashable, Sendable {
  package var avs: EthereumAddress
  /// Its number among the replicas of the AVS, from 0.
  package var replica: Int

  package init(avs: EthereumAddress, replica: Int) {
    self.avs = avs
    self.replica = replica
  }
}
