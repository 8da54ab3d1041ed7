import GRPCCore

/// The messages that wait to be written to a stream. Any task may enqueue; one task writes them, in that order.
package final class OutboundQueue<Message: Sendable>: Sendable {
  private typealias Entry = (message: Message, weight: Int)

  private let messages: AsyncStream<Entry>
  private let continuation: AsyncStream<Entry>.Continuation
  private let unwritten: WeightedLimit

  /// - Parameter limit: Weight of the unwritten messages from which on `room` waits.
  package init(limit: Int) {
    (messages, continuation) = AsyncStream.makeStream()
    unwritten = WeightedLimit(limit: limit)
  }

  /// - Parameter weight: The message's size, in short messages, about.
  package func enqueue(_ message: Message, weight: Int = 1) {
    unwritten.enter(weight: weight)
    continuation.yield((message, weight))
  }

  /// Ends the queue: `write` returns once it has written what was enqueued before.
  package func finish() {
    continuation.finish()
  }

  /// Returns when the unwritten messages weigh less than the limit, or the caller was cancelled.
  package func room() async { await unwritten.room() }

  /// Returns when every message was written, or the caller was cancelled.
  package func emptied() async { await unwritten.emptied() }

  /// Writes what is enqueued until `finish`, no faster than the peer takes it.
  package func write(to writer: RPCWriter<Message>) async throws {
    // Nobody waits for messages that cannot be written any more.
    defer { unwritten.clear() }
    for await (message, weight) in messages {
      try await writer.write(message)
      unwritten.leave(weight: weight)
    }
  }
}
