import GRPCCore
package import NIOCore

/// Turns the DATA frames of one direction of a call back into messages, and keeps account of the flow-control credit they hold.
///
/// Messages may begin and end anywhere in a frame. Bytes of a message that is not complete yet are credited to the peer at
/// once, because nobody can read them until the rest arrives; bytes of complete messages are credited when they are read. So a
/// call holds at most one receive window of complete messages and one message in the making.
package struct MessageAssembler: Sendable {
  /// One complete message, as it arrived.
  package struct Message: Equatable, Sendable {
    package var bytes: MessageBytes
    package var weight: MessageWeight
  }

  /// Largest message accepted, in bytes, before and after decompression.
  package let maxMessageBytes: Int
  /// Whether the peer announced that its messages may be compressed with gzip.
  package var acceptsGzip: Bool

  private var partial = ByteBuffer()
  /// Bytes of the message in the making whose credit was already returned.
  private var creditedPartial = 0

  package init(maxMessageBytes: Int, acceptsGzip: Bool = false) {
    self.maxMessageBytes = maxMessageBytes
    self.acceptsGzip = acceptsGzip
  }

  /// Adds the payload of one DATA frame; call ``next()`` until it returns nil, then ``creditForPartial()``.
  package mutating func append(_ payload: ByteBuffer) {
    partial.appendToRest(payload)
  }

  /// The next complete message, or nil when more bytes are needed.
  package mutating func next() throws(CallFault) -> Message? {
    guard let (flag, length) = prefix else { return nil }
    try check(flag: flag, length: length)
    let framedLength = MessageBytes.prefixLength + length
    guard var framed = partial.readSlice(length: framedLength) else { return nil }
    if partial.readableBytes == 0 { partial = ByteBuffer() }
    framed.moveReaderIndex(forwardBy: MessageBytes.prefixLength)
    let weight = MessageWeight(credit: framedLength - min(creditedPartial, framedLength), held: framedLength)
    creditedPartial = 0
    return Message(bytes: MessageBytes(received: framed, isCompressed: flag == 1), weight: weight)
  }

  /// What the prefix of the next message says of its length, and whether it is compressed; nil before the prefix is there.
  package var announced: (length: Int, isCompressed: Bool)? {
    prefix.map { ($0.length, $0.flag == 1) }
  }

  private var prefix: (flag: UInt8, length: Int)? {
    guard
      let flag = partial.getInteger(at: partial.readerIndex, as: UInt8.self),
      let length = partial.getInteger(at: partial.readerIndex + 1, as: UInt32.self)
    else { return nil }
    return (flag, Int(length))
  }

  /// Whether a message has begun and is not complete.
  package var isIncomplete: Bool { partial.readableBytes > 0 }

  /// Bytes of memory that the message in the making takes.
  package var storedBytes: Int { partial.storageCapacity }

  /// Credit that may be returned now for bytes of the message in the making.
  package mutating func creditForPartial() -> Int {
    partial = partial.withoutExcessStorage()
    let credit = partial.readableBytes - creditedPartial
    creditedPartial += credit
    return credit
  }

  /// Drops the message in the making; returns its length.
  package mutating func discardPartial() -> Int {
    defer { partial = ByteBuffer() }
    return partial.readableBytes
  }

  /// Checks that the direction did not end in the middle of a message.
  package func finish() throws(CallFault) {
    guard partial.readableBytes == 0 else {
      throw CallFault(.internalError, "the stream ended inside a message")
    }
  }

  private func check(flag: UInt8, length: Int) throws(CallFault) {
    guard flag <= 1 else {
      throw CallFault(.internalError, "a message has the compression flag \(flag), which gRPC does not define")
    }
    guard flag == 0 || acceptsGzip else {
      throw CallFault(.internalError, "a message is compressed, but its stream announced no compression")
    }
    guard length <= maxMessageBytes else {
      let text = "\(CallFault.oversizedMessage) of \(maxMessageBytes) bytes: it has \(length)"
      throw CallFault(.resourceExhausted, text, limit: .messageSize)
    }
  }
}
