/// Shares among the calls of a connection what their messages in the making may take.
///
/// Nobody can read a message before the last of it is there, so what has arrived of it is credited to the peer at once. Many large
/// messages that arrive side by side could fill with their beginnings all that the connection may hold, and none would ever be
/// complete. So as soon as the windows of all open calls could do that, only one message is credited, the one of which most is there; the
/// others follow when it is complete. It stays that one even if another has overtaken it meanwhile: their windows are open still, and
/// messages that overtook each other in turns would fill everything after all.
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
  /// The message that goes on while there is no room for all.
  private var favourite: StreamID?

  package init(limit: Int, windowSize: Int, maxMessageBytes: Int) {
    self.limit = limit
    self.windowSize = windowSize
    self.maxMessageBytes = maxMessageBytes
  }

  /// Notes `bytes` more of a message; returns the credit to return for it now.
  ///
  /// - Parameters:
  ///   - held: bytes the connection holds in all.
  ///   - calls: open calls of the connection, each with a window.
  package mutating func grew(_ stream: StreamID, by bytes: Int, held: Int, calls: Int) -> Int {
    var message = messages[stream] ?? Message()
    if message.withheld > 0 { withheldFrom -= 1 }
    message.arrived += bytes
    message.withheld += bytes
    messages[stream] = message
    withheldFrom += 1
    let only = onlyOne(held, calls)
    return only == nil || only == stream ? takeWithheld(of: stream) : 0
  }

  /// Notes that a message is complete or dropped; returns the credit that was withheld for it.
  package mutating func ended(_ stream: StreamID) -> Int {
    guard !messages.isEmpty, let message = messages.removeValue(forKey: stream) else { return 0 }
    if favourite == stream { favourite = nil }
    if message.withheld > 0 { withheldFrom -= 1 }
    return message.withheld
  }

  /// A call that may go on now that the connection holds `held` bytes and has so many open calls, and the credit it is owed; nil when
  /// there is no other.
  package mutating func next(held: Int, calls: Int) -> (stream: StreamID, credit: Int)? {
    guard withheldFrom > 0 else { return nil }
    let candidate = onlyOne(held, calls) ?? messages.filter { $0.value.withheld > 0 }.max(by: Self.isSmaller)?.key
    guard let candidate, case let credit = takeWithheld(of: candidate), credit > 0 else { return nil }
    return (candidate, credit)
  }

  /// The call to end when nothing else helps: the largest but one, so that few calls make much room and one completes.
  package var dispensable: StreamID? {
    messages.filter { $0.key != largest }.max(by: Self.isSmaller)?.key ?? largest
  }

  /// The message that goes on alone, if the windows that are open and one message could fill what the connection may hold.
  private mutating func onlyOne(_ held: Int, _ calls: Int) -> StreamID? {
    let isTight = held + max(calls, messages.count) * windowSize + maxMessageBytes > limit
    favourite = isTight ? favourite ?? largest : nil
    return favourite
  }

  /// The stream with most of a message; of equals, the one that began first.
  private var largest: StreamID? { messages.max(by: Self.isSmaller)?.key }

  private static func isSmaller(_ left: (key: StreamID, value: Message), _ right: (key: StreamID, value: Message)) -> Bool {
    (left.value.arrived, right.key) < (right.value.arrived, left.key)
  }

  private mutating func takeWithheld(of stream: StreamID) -> Int {
    guard let credit = messages[stream]?.withheld, credit > 0 else { return 0 }
    messages[stream]?.withheld = 0
    withheldFrom -= 1
    return credit
  }
}
