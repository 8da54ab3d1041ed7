/// Bounds what one connection may hold of messages that nobody has read yet.
///
/// The window of the whole connection is refilled on arrival, so that a slow reader of one call does not stop the others, until
/// the calls of the connection together hold too much; from then on it is refilled only when something has been read.
package struct ConnectionReceiveBudget: Sendable {
  /// Bytes of unread and incomplete messages a connection may hold before it stops reading.
  package let limit: Int

  /// Bytes of memory an unread message costs besides its content, so that many empty ones are no way round the limit.
  static let messageOverhead = 256

  private var held = 0
  private var unreadMessages = 0
  /// Bytes that have arrived and were not given back to the window.
  private var withheld = 0

  package init(limit: Int) {
    self.limit = limit
  }

  /// Bytes of unread and incomplete messages at the moment.
  package var heldBytes: Int { held }

  /// Whether the window is not refilled, because the connection holds too much.
  package var isFull: Bool { held > limit }

  /// True when the connection holds too much and none of it can be read, so that waiting would never end.
  package var isWedged: Bool { held > limit && unreadMessages == 0 }

  /// Notes bytes of the connection's window that were used up, once what they hold is noted; returns how many to give back now.
  package mutating func arrived(_ bytes: Int) -> Int {
    withheld += bytes
    return takeWithheld()
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

  /// Notes that a complete message of `bytes` was read or dropped; returns the bytes to give back to the window now.
  package mutating func messageRead(_ bytes: Int) -> Int {
    unreadMessages -= 1
    return release(bytes + Self.messageOverhead)
  }

  /// Notes that `bytes` are no longer held; returns the bytes to give back to the window now.
  package mutating func release(_ bytes: Int) -> Int {
    held -= bytes
    return takeWithheld()
  }

  private mutating func takeWithheld() -> Int {
    guard held <= limit else { return 0 }
    defer { withheld = 0 }
    return withheld
  }
}
