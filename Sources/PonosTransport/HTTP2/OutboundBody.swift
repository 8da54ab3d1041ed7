import DequeModule
import NIOCore

/// What a call has to send after its first header fields, until HTTP/2 takes it: messages behind their prefixes, then the end.
///
/// HTTP/2 takes what the windows of the peer and the socket have room for; the writers of the call wait at the ``SendGate`` meanwhile.
final class OutboundBody {
  /// How a body ends.
  enum Ending {
    /// With the last DATA frame.
    case data
    /// With header fields.
    case trailers(HeaderFields)
  }

  private let gate: SendGate
  private let unsent: UnsentMessages
  private var messages: Deque<ByteBuffer> = []
  /// Bytes of the first message that have been taken.
  private var taken = 0
  /// Whether HTTP/2 has taken all of it, the end included.
  var isTaken: Bool { count == 0 && ending == nil }
  /// Bytes that wait.
  private(set) var count = 0
  /// Bytes that HTTP/2 has ever taken.
  private(set) var takenBytes = 0
  /// Set once nothing more will be added, until HTTP/2 has taken it.
  var ending: Ending?
  /// Whether HTTP/2 found nothing to take, and has to be told when that changes.
  var isAwaited = false

  init(gate: SendGate, unsent: UnsentMessages) {
    self.gate = gate
    self.unsent = unsent
  }

  func append(_ message: ByteBuffer) {
    gate.admit(message.readableBytes)
    unsent.add(message.readableBytes)
    count += message.readableBytes
    messages.append(message)
  }

  /// Drops what waits: the stream is being reset.
  func discard() {
    ending = nil
    count = 0
    taken = 0
    while let message = messages.popFirst() {
      gate.release(message.readableBytes)
      unsent.drop(message.readableBytes)
    }
    unsent.settle()
  }

  /// Hands out the next `length` bytes, in one piece or several.
  func take(_ length: Int, _ piece: (ByteBuffer) -> Void) {
    count -= length
    takenBytes += length
    var left = length
    while left > 0, let message = messages.first {
      let size = min(left, message.readableBytes - taken)
      if let slice = message.getSlice(at: message.readerIndex + taken, length: size) { piece(slice) }
      left -= size
      taken += size
      guard taken == message.readableBytes else { continue }
      taken = 0
      messages.removeFirst()
      gate.release(message.readableBytes)
      unsent.handOver(message.readableBytes)
    }
  }
}
