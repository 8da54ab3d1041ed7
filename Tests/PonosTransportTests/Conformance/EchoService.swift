import Glibc
import GRPCCore
import NIOSSL

@testable import PonosTransport

/// Messages as plain bytes, so that the suites test transports and nothing else.
struct RawBytes: MessageSerializer, MessageDeserializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] { bytes.withUnsafeBytes(Array.init) }
}

/// The methods the suites call.
enum Echo {
  static let service = ServiceDescriptor(fullyQualifiedService: "ponos.transport.Echo")

  /// One message in, the same out; metadata is echoed as initial and trailing metadata.
  static let unary = MethodDescriptor(service: service, method: "Unary")
  /// Any number of messages in, the number of their bytes as decimal text out.
  static let collect = MethodDescriptor(service: service, method: "Collect")
  /// One message `count size` in, `count` messages of `size` bytes out.
  static let expand = MethodDescriptor(service: service, method: "Expand")
  /// Each message is answered at once with itself.
  static let chat = MethodDescriptor(service: service, method: "Chat")
  /// One message `code text` in, a status out.
  static let fail = MethodDescriptor(service: service, method: "Fail")
  /// Sends nothing until it is cancelled, and tells ``EchoService/cancellations``.
  static let hang = MethodDescriptor(service: service, method: "Hang")
  /// Sends its metadata and then hangs.
  static let hangAfterMetadata = MethodDescriptor(service: service, method: "HangAfterMetadata")
  /// Never reads its request, and ends when ``EchoService/release`` is called.
  static let ignore = MethodDescriptor(service: service, method: "Ignore")
  /// Answers with the certificate of the caller, which is empty when it has none, and the thread that its handler runs on as text.
  static let who = MethodDescriptor(service: service, method: "Who")
  /// One message in, the thread that its handler runs on out, as text.
  static let place = MethodDescriptor(service: service, method: "Place", type: .unary)
  /// Answers with the host that the transport counts its caller as, and whether that is this machine, as text.
  static let origin = MethodDescriptor(service: service, method: "Origin")
}

/// The server side of ``Echo``.
final class EchoService: RegistrableRPCService {
  /// Counts handlers that saw their call being cancelled.
  let cancellations = Counter()
  /// Counts handlers that hang.
  let hanging = Counter()
  /// Counts messages handlers have written.
  let written = Counter()
  /// Lets handlers of ``Echo/ignore`` end.
  let release = Gate()

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    register(Echo.unary, &router) { request, _ in
      // The library hands out the fields of HTTP/2 and gRPC as well, which must not be sent back.
      let custom = Metadata(request.metadata.filter { $0.key.hasPrefix("x-ponos-") })
      return StreamingServerResponse(metadata: custom) { writer in
        for try await message in request.messages { try await writer.write(message) }
        return custom
      }
    }
    register(Echo.chat, &router) { request, _ in
      StreamingServerResponse { writer in
        for try await message in request.messages { try await writer.write(message) }
        return [:]
      }
    }
    register(Echo.collect, &router) { request, _ in
      var bytes = 0
      for try await message in request.messages { bytes += message.count }
      let total = Array(String(bytes).utf8)
      return StreamingServerResponse { writer in
        try await writer.write(total)
        return [:]
      }
    }
    register(Echo.expand, &router) { [written] request, _ in
      StreamingServerResponse { writer in
        for try await message in request.messages {
          let numbers = String(decoding: message, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
          for index in 0..<numbers[0] {
            try await writer.write([UInt8](repeating: UInt8(truncatingIfNeeded: index), count: numbers[1]))
            written.increment()
          }
        }
        return [:]
      }
    }
    register(Echo.fail, &router) { request, _ in
      var parts: [Substring] = []
      for try await message in request.messages {
        parts = String(decoding: message, as: UTF8.self).split(separator: " ", maxSplits: 1)
      }
      let code = RPCError.Code(Status.Code(rawValue: Int(parts[0]) ?? 2) ?? .unknown) ?? .unknown
      throw RPCError(code: code, message: String(parts[1]), metadata: ["why": "asked for"])
    }
    register(Echo.hang, &router) { [cancellations, hanging] _, context in
      hanging.increment()
      try? await context.cancellation.cancelled
      cancellations.increment()
      throw RPCError(code: .cancelled, message: "cancelled")
    }
    register(Echo.hangAfterMetadata, &router) { [cancellations, hanging] _, context in
      StreamingServerResponse(metadata: ["early": "yes"]) { writer in
        try await writer.write([1])
        hanging.increment()
        try? await context.cancellation.cancelled
        cancellations.increment()
        return [:]
      }
    }
    register(Echo.who, &router) { _, context in
      let certificate = try (context.transportSpecific as? CallPeer)?.certificate?.toDERBytes() ?? []
      let thread = Array("\(pthread_self())".utf8)
      return StreamingServerResponse { writer in
        try await writer.write(certificate)
        try await writer.write(thread)
        return [:]
      }
    }
    register(Echo.place, &router) { request, _ in
      let thread = Array("\(pthread_self())".utf8)
      for try await _ in request.messages {}
      return StreamingServerResponse { writer in
        try await writer.write(thread)
        return [:]
      }
    }
    register(Echo.origin, &router) { _, context in
      let address = (context.transportSpecific as? CallPeer)?.address
      let text = "\(address?.host.description ?? "none") \(address?.isLocal ?? false)"
      return StreamingServerResponse { writer in
        try await writer.write(Array(text.utf8))
        return [:]
      }
    }
    register(Echo.ignore, &router) { [release] _, _ in
      await release.wait()
      return StreamingServerResponse { writer in
        try await writer.write([7])
        return [:]
      }
    }
  }

  private func register<Transport: ServerTransport>(
    _ method: MethodDescriptor, _ router: inout RPCRouter<Transport>,
    handler: @escaping @Sendable (StreamingServerRequest<[UInt8]>, ServerContext) async throws -> StreamingServerResponse<[UInt8]>
  ) {
    router.registerHandler(
      forMethod: method, deserializer: RawBytes(), serializer: RawBytes(), handler: handler)
  }
}
