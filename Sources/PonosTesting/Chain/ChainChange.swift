import PonosCore
import PonosCrypto

/// A change of the contracts of a test chain, as its control takes it.
package struct ChainChange: Encodable, Sendable {
  private var change: String
  private var avs: String?
  private var aggregatorSet: UInt32?
  private var executorSets: [UInt32]?
  private var set: UInt32?
  private var curve: String?
  private var `operator`: String?
  private var ecdsa: String?
  private var bn254: String?
  private var id: String?
  private var timestamp: UInt32?
  private var sla: UInt64?
  private var payload: String?

  private init(_ change: String, _ set: OperatorSet? = nil) {
    self.change = change
    avs = set?.avs.description
    self.set = set?.id
  }

  /// The AVS names its operator sets; executor sets follow one another.
  package static func avs(_ avs: EthereumAddress, aggregatorSet: UInt32, executorSets: [UInt32]) -> ChainChange {
    var change = ChainChange("avs")
    (change.avs, change.aggregatorSet, change.executorSets) = (avs.description, aggregatorSet, executorSets)
    return change
  }

  package static func curve(_ set: OperatorSet, _ curve: SignatureCurve) -> ChainChange {
    var change = ChainChange("curve", set)
    change.curve = curve.rawValue
    return change
  }

  package static func join(_ registrant: EthereumAddress, _ set: OperatorSet) -> ChainChange {
    var change = ChainChange("join", set)
    change.operator = registrant.description
    return change
  }

  package static func leave(_ registrant: EthereumAddress, _ set: OperatorSet) -> ChainChange {
    var change = ChainChange("leave", set)
    change.operator = registrant.description
    return change
  }

  /// Registers the public part of `key`, in the place of one that is there.
  package static func key(_ registrant: EthereumAddress, _ set: OperatorSet, _ key: SigningKey) -> ChainChange {
    var change = ChainChange("key", set)
    change.operator = registrant.description
    switch key.verificationKey {
    case .ecdsa(let address): change.ecdsa = address.description
    // The point in G1 is not read by anybody here.
    case .bn254(let key): change.bn254 = Hex.encodePrefixed([UInt8](repeating: 1, count: 64) + key.bytes)
    }
    return change
  }

  /// A task in the mailbox. Its SLA is in seconds.
  package static func task(
    _ id: TaskID, _ set: OperatorSet, payload: [UInt8], timestamp: UInt32, sla: UInt64 = 300, curve: SignatureCurve = .ecdsa
  ) -> ChainChange {
    var change = ChainChange("task", set)
    (change.id, change.payload, change.timestamp) = (id.description, Hex.encodePrefixed(payload), timestamp)
    (change.sla, change.curve) = (sla, curve.rawValue)
    return change
  }

  /// The task has a verified result.
  package static func verify(_ id: TaskID) -> ChainChange {
    var change = ChainChange("verify")
    change.id = id.description
    return change
  }

  /// Everything that an AVS of the public system has registered: operator set `aggregators` of one curve with the aggregator, and
  /// executor sets, each of one curve, with this operator and its key.
  package static func complete(
    _ avs: EthereumAddress, aggregator: (address: EthereumAddress, key: SigningKey), aggregatorSet: UInt32 = 0,
    operatorAddress: EthereumAddress, executorKeys: [SigningKey], firstSet: UInt32 = 1
  ) -> [ChainChange] {
    let aggregators = OperatorSet(avs: avs, id: aggregatorSet)
    let sets = executorKeys.indices.map { OperatorSet(avs: avs, id: firstSet + UInt32($0)) }
    return [
      .avs(avs, aggregatorSet: aggregatorSet, executorSets: sets.map(\.id)), .curve(aggregators, aggregator.key.curve),
      .join(aggregator.address, aggregators), .key(aggregator.address, aggregators, aggregator.key),
    ]
      + zip(sets, executorKeys).flatMap { set, key -> [ChainChange] in
        [.curve(set, key.curve), .join(operatorAddress, set), .key(operatorAddress, set, key)]
      }
  }
}
