/// Shares among the calls of a connection what their messages in the making may take.
///
/// Nobody can read a message before the last of it is there, so what has arrived of it is credited to the peer at once. Many large
/// messages that arrive side by side could fill with their beginnings all that the connection may hold, and none would ever be
/// complete. So as soon as their windows could do that, only one message is credited: of those that cannot go on without, the one of which
/// most is there. The others follow when it is complete. It stays that one even if another has overtaken it meanwhile: their windows
/// are open still, and messages that overtook each other in turns would fill everything after all.
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
  /// - Parameter held: bytes the connection holds in all.
  package mutating func grew(_ stream: StreamID, by bytes: Int, held: Int) -> Int {
    var message = messages[stream] ?? Message()
    if message.withheld > 0 { withheldFrom -= 1 }
    message.arrived += bytes
    message.withheld += bytes
    messages[stream] = message
    withheldFrom += 1
    chooseFavourite(held)
    return !isTight(held) || favourite == stream ? takeWithheld(of: stream) : 0
  }

  /// Notes that a message is complete or dropped; returns the credit that was withheld for it.
  package mutating func ended(_ stream: StreamID) -> Int {
    guard !messages.isEmpty, let message = messages.removeValue(forKey: stream) else { return 0 }
    if favourite == stream { favourite = nil }
    if message.withheld > 0 { withheldFrom -= 1 }
    return message.withheld
  }

  /// A call that may go on now that the connection holds `held` bytes, and the credit it is owed; nil when there is no other.
  package mutating func next(held: Int) -> (stream: StreamID, credit: Int)? {
    guard withheldFrom > 0 else { return nil }
    chooseFavourite(held)
    let candidate = isTight(held) ? favourite : largest { $0.withheld > 0 }
    guard let candidate, case let credit = takeWithheld(of: candidate), credit > 0 else { return nil }
    return (candidate, credit)
  }

  /// The call to end when nothing else helps: the largest but one, so that few calls make much room and one completes.
  package var dispensable: StreamID? {
    let largest = largest { _ in true }
    return messages.filter { $0.key != largest }.max(by: Self.isSmaller)?.key ?? largest
  }

  /// Whether the windows that are open, and the message that goes on, could fill what the connection may hold.
  private func isTight(_ held: Int) -> Bool {
    held + messages.count * windowSize + maxMessageBytes > limit
  }

  /// One that is stuck for another reason must not keep the others waiting: credit of less than half a window tells its sender nothing,
  /// and who has so much of a window left needs none.
  private mutating func chooseFavourite(_ held: Int) {
    favourite = isTight(held) ? favourite ?? largest { $0.withheld * 2 >= windowSize } : nil
  }

  /// The stream with most of a message, among those that fit; of equals, the one that began first.
  private func largest(where fits: (Message) -> Bool) -> StreamID? {
    messages.filter { fits($0.value) }.max(by: Self.isSmaller)?.key
  }

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
