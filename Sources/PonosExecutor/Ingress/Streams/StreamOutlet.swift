import GRPCCore

/// The messages a session has said and its peer has not taken. Said from anywhere at once, written by one task in that order.
package final class StreamOutlet<Message: Sendable>: Sendable {
  private typealias Entry = (message: Message, weight: Int)

  private let messages: AsyncStream<Entry>
  private let continuation: AsyncStream<Entry>.Continuation
  private let backlog: StreamBacklog

  /// - Parameter limit: What unwritten messages may weigh together before `room` waits.
  package init(limit: Int) {
    (messages, continuation) = AsyncStream.makeStream()
    backlog = StreamBacklog(limit: limit)
  }

  /// - Parameter weight: How many short messages it is as large as, about.
  package func say(_ message: Message, weight: Int = 1) {
    backlog.enter(weight: weight)
    continuation.yield((message, weight))
  }

  /// Nothing will be said any more.
  package func finish() {
    continuation.finish()
  }

  /// Returns when little enough waits.
  package func room() async { await backlog.room() }

  /// Returns when all was written.
  package func emptied() async { await backlog.emptied() }

  /// Writes what is said until `finish`, no faster than the peer takes it.
  package func write(to writer: RPCWriter<Message>) async throws {
    // What cannot be written any more is not waited for.
    defer { backlog.clear() }
    for await (message, weight) in messages {
      try await writer.write(message)
      backlog.leave(weight: weight)
    }
  }
}
