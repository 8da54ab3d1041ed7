import PonosCore

/// A task as the mailbox keeps it, as far as it tells whether a submission is that task.
package struct MailboxTask: Hashable, Sendable {
  package let creator: EthereumAddress
  /// Unix seconds.
  package let creationTime: UInt64
  package let executorSet: OperatorSet
  package let status: MailboxTaskStatus
  /// Unix seconds; the reference timestamp that submissions have to name.
  package let referenceTimestamp: UInt32
  package let payload: [UInt8]
  /// Seconds from creation within which the result has to be verified.
  package let sla: UInt64
  /// nil for curve type 0.
  package let curve: SignatureCurve?

  /// Unix seconds; still in time in that second.
  package var deadline: UInt64 {
    let (deadline, overflows) = creationTime.addingReportingOverflow(sla)
    return overflows ? .max : deadline
  }

  /// Reads the tuple: fourteen words, of which four say where the dynamic parts begin, then those in order.
  init(_ reader: inout ABIReader) throws(ABIError) {
    let base = try reader.begin(try reader.offset(from: 0))
    creator = try reader.address()
    creationTime = try reader.number()
    let avs = try reader.address()
    // avsFee: an amount of tokens, uint96.
    try reader.skipUInt96()
    _ = try reader.address()
    executorSet = OperatorSet(avs: avs, id: try reader.number(UInt32.self))
    _ = try reader.number(UInt16.self)
    status = try reader.enumeration(MailboxTaskStatus.self)
    _ = try reader.bool()
    referenceTimestamp = try reader.number(UInt32.self)
    let tails = try reader.offsets(4, from: base)
    try reader.begin(tails[0])
    let terms = try MailboxTaskTerms(&reader)
    (sla, curve) = (terms.sla, terms.curve)
    try reader.begin(tails[1])
    payload = try reader.byteString()
    for tail in tails[2...] {
      try reader.begin(tail)
      _ = try reader.byteString()
    }
  }
}

/// What an AVS set for the tasks of an executor operator set.
struct MailboxTaskTerms {
  /// Seconds.
  let sla: UInt64
  let curve: SignatureCurve?

  private enum CurveType: UInt8 { case none, ecdsa, bn254 }
  private enum Consensus: UInt8 { case none, stakeProportionThreshold }

  init(_ reader: inout ABIReader) throws(ABIError) {
    let base = reader.position
    _ = try reader.address()
    sla = try reader.number()
    _ = try reader.address()
    let type = try reader.enumeration(CurveType.self)
    curve = type == .ecdsa ? .ecdsa : type == .bn254 ? .bn254 : nil
    _ = try reader.address()
    let tails = try reader.offsets(2, from: base)
    let consensus = try reader.begin(tails[0])
    _ = try reader.enumeration(Consensus.self)
    try reader.begin(try reader.offset(from: consensus))
    _ = try reader.byteString()
    try reader.begin(tails[1])
    _ = try reader.byteString()
  }
}

extension ABIReader {
  /// A number of 96 bits that nobody here needs.
  fileprivate mutating func skipUInt96() throws(ABIError) {
    let start = position
    guard try word().prefix(20).allSatisfy({ $0 == 0 }) else { throw .dirtyPadding(at: start) }
  }

  /// Consecutive offset words.
  fileprivate mutating func offsets(_ count: Int, from base: Int) throws(ABIError) -> [ABITail] {
    var tails: [ABITail] = []
    for _ in 0..<count { tails.append(try offset(from: base)) }
    return tails
  }
}
