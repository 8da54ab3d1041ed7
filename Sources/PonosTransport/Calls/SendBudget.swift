/// Bounds the bytes of one call that wait for the peer's flow-control windows or for the socket.
///
/// Frames of a stream leave in order, so one completed write vouches for all before it: only about one frame in each
/// ``stride`` bytes is asked to report back, and a short call asks for none.
package struct SendBudget: Sendable {
  /// Bytes that may wait before writers have to.
  package let limit: Int
  /// Bytes after which a write reports back.
  package let stride: Int
  /// Bytes of memory a frame costs besides its payload.
  static let frameOverhead = 128

  private var waiting = 0
  private var unreported = 0

  package init(limit: Int = 64 << 10) {
    self.limit = limit
    stride = max(limit / 4, 1)
  }

  /// Whether writers have to wait.
  package var isExhausted: Bool { waiting >= limit }

  /// Notes a frame with `bytes` of payload; returns the number of bytes its completion reports, or nil if it need not report.
  package mutating func write(_ bytes: Int) -> Int? {
    waiting += bytes + Self.frameOverhead
    unreported += bytes + Self.frameOverhead
    guard unreported >= stride else { return nil }
    defer { unreported = 0 }
    return unreported
  }

  /// Notes that `bytes` have reached the socket.
  package mutating func completed(_ bytes: Int) {
    waiting -= bytes
  }
}
