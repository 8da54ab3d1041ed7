import GRPCCore

/// The calls of ``EchoService``, whatever carries them.
protocol EchoCalls: Sendable {
  /// One message there and back.
  func unary(_ message: [UInt8]) async throws
  /// A stream on which the next message goes when the last has come back.
  func chat(_ message: [UInt8], turns: Int) async throws
}

/// Calls ``EchoService``.
struct EchoClient<Transport: ClientTransport>: EchoCalls {
  let client: GRPCClient<Transport>

  func unary(_ message: [UInt8]) async throws {
    let answer = try await client.unary(
      request: ClientRequest(message: message), descriptor: EchoService.unary,
      serializer: RawBytes(), deserializer: RawBytes(), options: .defaults
    ) { try $0.message }
    precondition(answer.count == message.count)
  }

  func chat(_ message: [UInt8], turns: Int) async throws {
    let (tokens, next) = AsyncStream.makeStream(of: Void.self)
    next.yield()
    try await client.bidirectionalStreaming(
      request: StreamingClientRequest { writer in
        for await _ in tokens { try await writer.write(message) }
      },
      descriptor: EchoService.chat, serializer: RawBytes(), deserializer: RawBytes(), options: .defaults
    ) { response in
      var turn = 0
      for try await answer in response.messages {
        precondition(answer.count == message.count)
        turn += 1
        if turn == turns { next.finish() } else { next.yield() }
      }
    }
  }
}
