/// Bounds what one connection may hold of messages that nobody has read yet.
///
/// The window of the whole connection is refilled on arrival, so that a slow reader of one call does not stop the others, until
/// the calls of the connection together hold too much; from then on it is refilled only when something has been read.
package struct ConnectionReceiveBudget: Sendable {
  /// Size the connection's receive window is refilled to, in bytes.
  package let windowSize: Int
  /// Bytes of unread and incomplete messages a connection may hold before it stops reading.
  package let limit: Int

  /// Bytes of memory an unread message costs besides its content, so that many empty ones are no way round the limit.
  static let messageOverhead = 256

  private var window: Int
  private var held = 0
  private var unreadMessages = 0

  /// - Parameter currentWindow: size of the window before any update; 65,535 on a fresh connection.
  package init(windowSize: Int, limit: Int, currentWindow: Int = 65_535) {
    self.windowSize = windowSize
    self.limit = limit
    window = currentWindow
  }

  /// Bytes of unread and incomplete messages at the moment.
  package var heldBytes: Int { held }

  /// True when the connection holds too much and none of it can be read, so that waiting would never end.
  package var isWedged: Bool { held > limit && unreadMessages == 0 }

  /// The increment with which to open the window at the start.
  package var initialIncrement: Int? {
    windowSize > window ? windowSize - window : nil
  }

  /// Notes what is left of the connection's window; returns the increment to announce now.
  package mutating func windowChanged(to size: Int) -> Int? {
    window = size
    return increment
  }

  /// Notes bytes of messages that a call has to keep.
  package mutating func hold(_ bytes: Int) {
    held += bytes
  }

  /// Notes that a message became complete and can be read.
  package mutating func messageCompleted() {
    unreadMessages += 1
    held += Self.messageOverhead
  }

  /// Notes that a complete message of `bytes` was read or dropped; returns the increment to announce now.
  package mutating func messageRead(_ bytes: Int) -> Int? {
    unreadMessages -= 1
    return release(bytes + Self.messageOverhead)
  }

  /// Notes that `bytes` are no longer held; returns the increment to announce now.
  package mutating func release(_ bytes: Int) -> Int? {
    held -= bytes
    return increment
  }

  /// A refill is due once half of the window is used up.
  private var increment: Int? {
    held <= limit && window * 2 <= windowSize ? windowSize - window : nil
  }
}
