import GRPCCore

/// How large a message may become when it is decompressed.
package struct DecompressionLimits: Sendable {
  /// A message may become this large whatever its ratio, in bytes: the header of gzip alone makes short messages look well compressed.
  static let alwaysAllowed = 1 << 10
  /// A message that may become larger is decompressed off the event loop, in bytes. Less than this takes well under a millisecond.
  static let maxOnEventLoop = 64 << 10

  /// Largest message, in bytes.
  package let maxBytes: Int
  /// How many times as large as its compressed form a message may be; nil for any number.
  package let maxRatio: Int?

  package init(maxBytes: Int, maxRatio: Int? = nil) {
    self.maxBytes = maxBytes
    self.maxRatio = maxRatio
  }

  /// Bytes that a message of `count` compressed bytes may become.
  package func bytes(forCompressed count: Int) -> Int {
    min(maxBytes, ratioLimit(count) ?? maxBytes)
  }

  /// Why a message of `count` compressed bytes that becomes larger is refused.
  func fault(forCompressed count: Int) -> CallFault {
    if let maxRatio, let ratioLimit = ratioLimit(count), ratioLimit < maxBytes {
      let text = "a compressed message of \(count) bytes becomes more than \(maxRatio) times as large"
      return CallFault(.resourceExhausted, text, limit: .compressionRatio)
    }
    let text = "\(CallFault.oversizedMessage) of \(maxBytes) bytes once decompressed"
    return CallFault(.resourceExhausted, text, limit: .messageSize)
  }

  private func ratioLimit(_ count: Int) -> Int? {
    maxRatio.map { max(Self.alwaysAllowed, count * $0) }
  }
}
