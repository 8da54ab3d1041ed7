import PonosCore

/// The message that each end of a task stream signs to prove, for this session only, that it holds its key.
///
/// The layout is that of EIP-712 typed data without a domain: the hash of the type, then a word per field. No other signed message has its
/// 320 bytes, so a proof cannot be taken for one.
package struct SessionProofMessage: Hashable, Sendable {
  /// The end that makes the proof. Without it, one end could send the other its own proof back.
  package enum Role: UInt32, Sendable {
    case aggregator = 1
    case executor = 2
  }

  package var role: Role
  package var aggregator: AggregatorHello
  package var executor: ExecutorHello

  package init(role: Role, aggregator: AggregatorHello, executor: ExecutorHello) {
    self.role = role
    self.aggregator = aggregator
    self.executor = executor
  }

  /// 320 bytes.
  package var preimage: [UInt8] {
    Self.typeHash.bytes
      + ABIWord.encode(role.rawValue)
      + ABIWord.encode(StreamProtocol.version)
      + ABIWord.encode(aggregator.owner.avs)
      + ABIWord.encode(aggregator.owner.aggregator)
      + ABIWord.encode(aggregator.executor)
      + ABIWord.encode(aggregator.operatorSetID)
      + executor.session.bytes
      + aggregator.challenge.bytes
      + executor.challenge.bytes
  }

  /// The digest to sign or verify as a message.
  package var digest: Digest32 { Keccak256.hash(preimage) }

  private static let typeHash = Keccak256.hash(
    Array(
      """
      PonosSession(uint32 role,uint32 version,address avs,address aggregator,address executor,uint32 operatorSetId,\
      bytes32 session,bytes32 aggregatorChallenge,bytes32 executorChallenge)
      """.utf8))
}
