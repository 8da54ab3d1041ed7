package import GRPCCore
import NIOCore

/// A message that was serialized once and may be sent by many calls: all of them refer to the same bytes in memory.
///
/// A handler answers with it where its method is registered with ``Serializer``.
package struct SharedMessage: Sendable {
  private let bytes: MessageBytes

  /// - Parameter serialized: the message, without the prefix of gRPC.
  package init(_ serialized: some Sequence<UInt8>) {
    bytes = MessageBytes(serialized)
  }

  /// Size of the message, in bytes.
  package var count: Int { bytes.count }

  /// Hands the bytes to the transport; another transport gets a copy.
  package struct Serializer: MessageSerializer {
    package init() {}

    package func serialize<Bytes: GRPCContiguousBytes>(_ message: SharedMessage) throws -> Bytes {
      if let same = message.bytes as? Bytes { return same }
      return Bytes(message.bytes.buffer.readableBytesView)
    }
  }
}
