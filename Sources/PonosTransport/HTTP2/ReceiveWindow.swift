/// Decides when to give flow-control credit back to the peer.
///
/// A WINDOW_UPDATE for every message would cost as much as the message; so credit is collected and returned once it amounts
/// to half the window. The peer never stalls for a reader that keeps up.
package struct ReceiveWindow: Sendable {
  /// Size of the window, in bytes.
  package let size: Int
  private var owed = 0

  package init(size: Int) {
    self.size = size
  }

  /// Notes that `bytes` may be sent again; returns the increment to announce now, or nil while it is not worth a frame.
  package mutating func release(_ bytes: Int) -> Int? {
    owed += bytes
    guard owed * 2 >= size, owed > 0 else { return nil }
    defer { owed = 0 }
    return owed
  }
}
