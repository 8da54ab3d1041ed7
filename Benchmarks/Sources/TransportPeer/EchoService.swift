import GRPCCore

/// Messages as plain bytes, so that transports are measured and nothing else.
struct RawBytes: MessageSerializer, MessageDeserializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] { bytes.withUnsafeBytes(Array.init) }
}

/// The two methods the benchmark calls; the grpc-go peer serves the same.
struct EchoService: RegistrableRPCService {
  static let service = ServiceDescriptor(fullyQualifiedService: "ponos.transport.Echo")
  static let unary = MethodDescriptor(service: service, method: "Unary")
  static let chat = MethodDescriptor(service: service, method: "Chat")

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    for method in [Self.unary, Self.chat] {
      router.registerHandler(forMethod: method, deserializer: RawBytes(), serializer: RawBytes()) { request, _ in
        StreamingServerResponse { writer in
          for try await message in request.messages { try await writer.write(message) }
          return [:]
        }
      }
    }
  }
}
