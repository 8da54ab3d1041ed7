import GRPCCore
import Synchronization
import Testing

#if PONOS_SANITIZE_THREAD
  import PonosTransport
#endif

/// What a caller gets back from a call with one response.
struct Answer: Sendable {
  var bytes: [UInt8]
  var initial: Metadata
  var trailing: Metadata
}

/// Calls of ``Echo``, the same whatever transport is beneath.
protocol EchoCalls: Sendable {
  func unary(_ method: MethodDescriptor, _ bytes: [UInt8], metadata: Metadata, options: CallOptions) async throws -> Answer
  func collect(_ messages: [[UInt8]], options: CallOptions) async throws -> [UInt8]
  func expand(count: Int, size: Int, each: @escaping @Sendable ([UInt8]) async throws -> Void) async throws
  func stream(
    _ method: MethodDescriptor, options: CallOptions,
    send: @escaping @Sendable (RPCWriter<[UInt8]>) async throws -> Void,
    receive: @escaping @Sendable (StreamingClientResponse<[UInt8]>) async throws -> Void
  ) async throws
  func beginGracefulShutdown()
}

extension EchoCalls {
  func unary(
    _ bytes: [UInt8], method: MethodDescriptor = Echo.unary, metadata: Metadata = [:], options: CallOptions = .defaults
  ) async throws -> Answer {
    try await unary(method, bytes, metadata: metadata, options: options)
  }

  /// What the server knows of the caller, and the thread it answers on.
  func who() async throws -> (certificate: [UInt8], thread: [UInt8]) {
    let answers = Mutex<[[UInt8]]>([])
    try await stream(Echo.who, options: .defaults) { _ in
    } receive: { response in
      for try await message in response.messages { answers.withLock { $0.append(message) } }
    }
    let received = answers.withLock { $0 }
    try #require(received.count == 2)
    return (received[0], received[1])
  }
}

struct EchoClient<Transport: ClientTransport>: EchoCalls {
  let client: GRPCClient<Transport>

  func unary(
    _ method: MethodDescriptor, _ bytes: [UInt8], metadata: Metadata, options: CallOptions
  ) async throws -> Answer {
    try await client.unary(
      request: ClientRequest(message: bytes, metadata: metadata), descriptor: method,
      serializer: RawBytes(), deserializer: RawBytes(), options: options
    ) { response in
      Answer(bytes: try response.message, initial: response.metadata, trailing: response.trailingMetadata)
    }
  }

  func collect(_ messages: [[UInt8]], options: CallOptions) async throws -> [UInt8] {
    try await client.clientStreaming(
      request: StreamingClientRequest { writer in
        for message in messages { try await writer.write(message) }
      },
      descriptor: Echo.collect, serializer: RawBytes(), deserializer: RawBytes(), options: options
    ) { try $0.message }
  }

  func expand(count: Int, size: Int, each: @escaping @Sendable ([UInt8]) async throws -> Void) async throws {
    try await client.serverStreaming(
      request: ClientRequest(message: Array("\(count) \(size)".utf8)), descriptor: Echo.expand,
      serializer: RawBytes(), deserializer: RawBytes(), options: .defaults
    ) { response in
      for try await message in response.messages { try await each(message) }
    }
  }

  func stream(
    _ method: MethodDescriptor, options: CallOptions,
    send: @escaping @Sendable (RPCWriter<[UInt8]>) async throws -> Void,
    receive: @escaping @Sendable (StreamingClientResponse<[UInt8]>) async throws -> Void
  ) async throws {
    try await client.bidirectionalStreaming(
      request: StreamingClientRequest(producer: send), descriptor: method,
      serializer: RawBytes(), deserializer: RawBytes(), options: options, onResponse: receive)
  }

  func beginGracefulShutdown() { client.beginGracefulShutdown() }
}
