/// Keeps changes of performers apart: at most one deployment for each replica at a time, and none beside a change of the whole
/// AVS.
package struct ReplicaClaims: Sendable, Equatable {
  private var replicas: Set<ReplicaID> = []
  /// AVSs all of whose replicas are claimed.
  private var whole: Set<EthereumAddress> = []

  package init() {}

  /// Claims one replica. Returns false, and changes nothing, while the replica or its whole AVS is claimed.
  package mutating func claim(_ replica: ReplicaID) -> Bool {
    !whole.contains(replica.avs) && replicas.insert(replica).inserted
  }

  /// Claims all replicas of an AVS. Returns false, and changes nothing, while one of them or all are claimed.
  package mutating func claim(allOf avs: EthereumAddress) -> Bool {
    !replicas.contains { $0.avs == avs } && whole.insert(avs).inserted
  }

  /// Gives a replica back. Does nothing when it is not claimed.
  package mutating func release(_ replica: ReplicaID) {
    replicas.remove(replica)
  }

  /// Gives an AVS back that was claimed as a whole. Does nothing when it was not.
  package mutating func release(allOf avs: EthereumAddress) {
    whole.remove(avs)
  }
}
