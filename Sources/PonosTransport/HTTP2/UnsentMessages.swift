/// Counts the messages that the calls of one connection have to send until they are written to its socket.
///
/// All state belongs to the event loop of the connection.
final class UnsentMessages {
  /// Messages that are larger are counted until the socket has taken them: their memory is kept for as long as any piece of them waits
  /// in the channel. The channel bounds what waits of the smaller ones.
  static let maxForgotten = 16 << 10
  /// How far the bytes may grow between two looks at the reservation.
  private static let maxUnsettled = 64 << 10

  /// Bytes that may wait on the connection before a message is refused.
  let limit: Int
  /// Bytes of messages that have not been written, each with ``SendBudget/messageOverhead``.
  private(set) var bytes = 0
  /// Bytes of large messages whose last piece was given to the channel since ``takeHandedOver()``.
  private var handedOver = 0
  private var share: QuotaShare?

  init(limit: Int = .max, share: QuotaShare? = nil) {
    self.limit = limit
    self.share = share
  }

  /// Whether a message of `count` bytes may wait as well. One that is alone always may, whatever its size.
  func admits(_ count: Int) -> Bool { bytes == 0 || bytes + count <= limit }

  /// Notes a message that waits to be sent.
  func add(_ count: Int) {
    bytes += count + SendBudget.messageOverhead
    if let share, bytes - share.reserved > Self.maxUnsettled { settle() }
  }

  /// Notes a message that has been given to the channel.
  func handOver(_ count: Int) {
    if count > Self.maxForgotten { handedOver += count + SendBudget.messageOverhead } else { drop(count) }
  }

  /// Notes a message that was dropped.
  func drop(_ count: Int) { bytes -= count + SendBudget.messageOverhead }

  /// Bytes to be counted until what was given to the channel has been written; ``written(_:)`` has to follow.
  func takeHandedOver() -> Int {
    defer { handedOver = 0 }
    return handedOver
  }

  /// Notes that the channel has written, or dropped, what it was given.
  func written(_ count: Int) {
    bytes -= count
    settle()
  }

  /// Brings the reservation in line with what is there.
  func settle() { share?.settle(at: bytes) }
}
