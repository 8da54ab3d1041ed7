import GRPCCore

/// The messages a session has said and its peer has not taken. Said from anywhere at once, written by one task in that order.
final class StreamOutlet<Message: Sendable>: Sendable {
  private let messages: AsyncStream<Message>
  private let continuation: AsyncStream<Message>.Continuation
  private let backlog: StreamBacklog

  /// - Parameter limit: Unwritten messages above which `room` waits.
  init(limit: Int) {
    (messages, continuation) = AsyncStream.makeStream()
    backlog = StreamBacklog(limit: limit)
  }

  func say(_ message: Message) {
    backlog.enter()
    continuation.yield(message)
  }

  /// Nothing will be said any more.
  func finish() {
    continuation.finish()
  }

  /// Returns when few enough messages wait.
  func room() async { await backlog.room() }

  /// Returns when all was written.
  func emptied() async { await backlog.emptied() }

  /// Writes what is said until `finish`, no faster than the peer takes it.
  func write(to writer: RPCWriter<Message>) async throws {
    // What cannot be written any more is not waited for.
    defer { backlog.clear() }
    for await message in messages {
      try await writer.write(message)
      backlog.leave()
    }
  }
}
