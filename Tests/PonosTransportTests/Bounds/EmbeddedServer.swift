import GRPCCore
import NIOCore
import NIOEmbedded
import NIOHPACK

@testable import PonosTransport

/// A server's side of one connection without a network, and a client that sends it frames; everything runs on the thread of the test.
///
/// So nothing may leave the event loop: requests to ``unary`` have to be small.
final class EmbeddedServer: @unchecked Sendable {
  // Unchecked: one thread.

  static let unary = method("Unary", .unary)
  static let stream = method("Stream", .bidirectionalStreaming)

  let channel = EmbeddedChannel()
  let link: ConnectionLink
  /// Bytes of each answer.
  var answerBytes = 1
  private(set) var handlersBegun = 0
  /// The codes of the calls that have ended with trailers, by stream, and the messages with them.
  private(set) var statuses: [Int: (code: String, message: String)] = [:]
  /// The error codes of the streams that were reset.
  private(set) var resets: [Int: UInt32] = [:]
  /// Whether GOAWAY has arrived.
  private(set) var isLeaving = false
  private var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
  private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
  private let handler: Handler

  private final class Handler: @unchecked Sendable {
    // Unchecked: one thread.
    weak var server: EmbeddedServer?
  }

  /// - Parameter host: what the connection is counted as.
  init(_ settings: ServerTransportSettings = EmbeddedServer.settings, host: PeerHost = .unknown) throws {
    let handler = Handler()
    self.handler = handler
    let methods = [Self.unary, Self.stream].map { ("/\($0.fullyQualifiedMethod)", settings.served($0)) }
    let service = ServerCallService(methods: Dictionary(uniqueKeysWithValues: methods), settings: settings) { stream, _ in
      handler.server?.handlersBegun += 1
      await Self.answer(stream, size: handler.server?.answerBytes ?? 1)
    }
    let finished = channel.eventLoop.makePromise(of: Void.self)
    let channel = channel
    let member = settings.quota?.admit(host) { limit in
      channel.eventLoop.execute {
        channel.pipeline.fireUserInboundEventTriggered(ConnectionHandler.Eviction(limit: limit))
      }
    }
    if let member { channel.closeFuture.whenComplete { _ in member.quota.remove(member.lease) } }
    try ServerPipeline.configure(
      channel, service: service, executor: EventLoopTaskExecutor(channel.eventLoop), member: member, finished: finished)
    link = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).link
    handler.server = self
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try receive(ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), RawFrame.bytes(type: 4))
  }

  static var settings: ServerTransportSettings {
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    settings.keepaliveInterval = nil
    return settings
  }

  private static func method(_ name: String, _ type: MethodDescriptor.RPCType) -> MethodDescriptor {
    MethodDescriptor(service: ServiceDescriptor(fullyQualifiedService: "a.B"), method: name, type: type)
  }

  /// Reads to the end, and answers with one message.
  private static func answer(
    _ stream: RPCStream<ServerCallService.Inbound, ServerCallService.Outbound>, size: Int
  ) async {
    do {
      for try await _ in stream.inbound {}
      try await stream.outbound.write(.metadata([:]))
      try await stream.outbound.write(.message(MessageBytes(repeating: 7, count: size)))
      try await stream.outbound.write(.status(Status(code: .ok, message: ""), [:]))
    } catch {
      await stream.outbound.finish(throwing: error)
    }
  }

  // MARK: The client

  /// Sends frames and lets the loop run.
  func receive(_ frames: ByteBuffer...) throws {
    for frame in frames { try channel.writeInbound(frame) }
    run()
  }

  /// Header fields of a request.
  func head(_ method: MethodDescriptor, on stream: UInt32, fields: [(String, String)] = []) throws -> ByteBuffer {
    var block = ByteBuffer()
    let headers: [(String, String)] = [
      (":method", "POST"), (":scheme", "http"), (":path", "/\(method.fullyQualifiedMethod)"), ("te", "trailers"),
      ("content-type", "application/grpc"),
    ]
    try encoder.encode(headers: HPACKHeaders(headers + fields), to: &block)
    return RawFrame.bytes(type: 1, flags: 4, stream: stream, payload: Array(block.readableBytesView))
  }

  /// A whole request.
  func request(_ method: MethodDescriptor, on stream: UInt32, message: [UInt8] = [1]) throws {
    try receive(try head(method, on: stream), data(Array(MessageBytes(message).framed.readableBytesView), on: stream, ends: true))
  }

  func data(_ bytes: [UInt8], on stream: UInt32, ends: Bool = false) -> ByteBuffer {
    RawFrame.bytes(type: 0, flags: ends ? 1 : 0, stream: stream, payload: bytes)
  }

  /// The beginning of a message that is announced with `length` bytes and has `count` of them, in frames of 16 KiB.
  func begin(_ method: MethodDescriptor, on stream: UInt32, length: Int, count: Int) throws {
    try receive(try head(method, on: stream))
    var start: [UInt8] = [0]
    withUnsafeBytes(of: UInt32(length).bigEndian) { start += $0 }
    let bytes = start + [UInt8](repeating: 1, count: count)
    for index in stride(from: 0, to: bytes.count, by: 16_384) {
      try receive(data(Array(bytes[index..<min(index + 16_384, bytes.count)]), on: stream))
    }
  }

  func advance(by time: TimeAmount) {
    channel.embeddedEventLoop.advanceTime(by: time)
    run()
  }

  /// Lets the loop run, and takes what the server has sent.
  func run() {
    channel.embeddedEventLoop.run()
    var bytes = ByteBuffer()
    while let written = (try? channel.readOutbound(as: ByteBuffer.self)) ?? nil { bytes.writeImmutableBuffer(written) }
    for frame in RawFrame.all(bytes) { take(frame) }
  }

  private func take(_ frame: (kind: UInt8, stream: UInt32, payload: ByteBuffer)) {
    var payload = frame.payload
    switch frame.kind {
    case 1:
      guard let fields = try? decoder.decodeHeaders(from: &payload), let code = fields.first(name: "grpc-status") else { return }
      statuses[Int(frame.stream)] = (code, fields.first(name: "grpc-message") ?? "")
    case 3: resets[Int(frame.stream)] = payload.readInteger()
    case 7: isLeaving = true
    default: break
    }
  }

  func close() {
    _ = try? channel.finish(acceptAlreadyClosed: true)
    run()
  }
}
