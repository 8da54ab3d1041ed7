/// Shares among the calls of a connection what their messages in the making may take.
///
/// Nobody can read a message before the last of it is there, so what has arrived of it is credited to the peer at once. Many large
/// messages that arrive side by side could fill with their beginnings all that the connection may hold, and none would ever be
/// complete. So as soon as the windows that are open could do that, only the message of which most is there is credited; the others
/// follow when it is complete.
package struct IncompleteMessages: Sendable {
  private struct Message: Sendable {
    var arrived = 0
    var withheld = 0
  }

  /// Bytes the connection may hold; see ``ConnectionReceiveBudget``.
  package let limit: Int
  /// Receive window of each call, in bytes.
  package let windowSize: Int
  /// Largest message, in bytes.
  package let maxMessageBytes: Int

  private var messages: [StreamID: Message] = [:]
  private var withheldFrom = 0

  package init(limit: Int, windowSize: Int, maxMessageBytes: Int) {
    self.limit = limit
    self.windowSize = windowSize
    self.maxMessageBytes = maxMessageBytes
  }

  /// Notes `bytes` more of a message, of `held` that the connection holds in all; returns the credit to return for it now.
  package mutating func grew(_ stream: StreamID, by bytes: Int, held: Int) -> Int {
    var message = messages[stream] ?? Message()
    if message.withheld > 0 { withheldFrom -= 1 }
    message.arrived += bytes
    message.withheld += bytes
    messages[stream] = message
    withheldFrom += 1
    return isTight(held) && byArrived.first != stream ? 0 : takeWithheld(of: stream)
  }

  /// Notes that a message is complete or dropped; returns the credit that was withheld for it.
  package mutating func ended(_ stream: StreamID) -> Int {
    guard !messages.isEmpty, let message = messages.removeValue(forKey: stream) else { return 0 }
    if message.withheld > 0 { withheldFrom -= 1 }
    return message.withheld
  }

  /// A call that may go on now that the connection holds `held` bytes, and the credit it is owed; nil when there is no other.
  package mutating func next(held: Int) -> (stream: StreamID, credit: Int)? {
    guard withheldFrom > 0 else { return nil }
    let candidates = isTight(held) ? Array(byArrived.prefix(1)) : byArrived
    guard let stream = candidates.first(where: { (messages[$0]?.withheld ?? 0) > 0 }) else { return nil }
    return (stream, takeWithheld(of: stream))
  }

  /// The call to end when nothing else helps: the largest but one, so that few calls make much room and one completes.
  package var dispensable: StreamID? { byArrived.prefix(2).last }

  /// Whether the windows that are open, and the message that goes on, could fill what the connection may hold.
  private func isTight(_ held: Int) -> Bool {
    held + messages.count * windowSize + maxMessageBytes > limit
  }

  /// Streams, those with most of a message first; of equals, those that began first.
  private var byArrived: [StreamID] {
    messages.sorted { ($0.value.arrived, $1.key) > ($1.value.arrived, $0.key) }.map(\.key)
  }

  private mutating func takeWithheld(of stream: StreamID) -> Int {
    guard let credit = messages[stream]?.withheld, credit > 0 else { return 0 }
    messages[stream]?.withheld = 0
    withheldFrom -= 1
    return credit
  }
}
