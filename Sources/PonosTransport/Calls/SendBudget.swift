/// Bounds the bytes of one call that wait for the peer's flow-control windows or for the socket.
package struct SendBudget: Sendable {
  /// Bytes that may wait before writers have to.
  package let limit: Int
  /// Bytes of memory a message costs besides its payload.
  static let messageOverhead = 128

  private var waiting = 0

  package init(limit: Int = 64 << 10) {
    self.limit = limit
  }

  /// Whether writers have to wait.
  package var isExhausted: Bool { waiting >= limit }

  /// Notes a message of `bytes` that has to wait.
  package mutating func add(_ bytes: Int) {
    waiting += bytes + Self.messageOverhead
  }

  /// Notes that a message of `bytes` waits no more.
  package mutating func remove(_ bytes: Int) {
    waiting -= bytes + Self.messageOverhead
  }
}
