import GRPCCore
import NIOCore
import NIOEmbedded

@testable import PonosTransport

extension FuzzTarget {
  /// Whole connections of a server: the input is what a client sends after the preface, cut into pieces by its first byte.
  ///
  /// Checks that the connection holds no more than the input accounts for and does not wait for ever, that its memory is given back
  /// and its handlers return when it is closed, and that a small input is never answered by a large output.
  static let serverConnection = FuzzTarget("server-connection", words: FrameWords.all) { input in
    let connection = ServerUnderFuzz()
    let pieces = pieces(input)
    connection.receive(FrameWords.preface + (pieces.first ?? []))
    for piece in pieces.dropFirst() { connection.receive(piece) }
    connection.close()
  }

  /// Whole connections of a client with three calls under way: the input is what the server sends, cut by its first byte.
  static let clientConnection = FuzzTarget("client-connection", words: FrameWords.all) { input in
    let connection = ClientUnderFuzz()
    connection.receive(FrameWords.settings)
    connection.beginCalls()
    for piece in pieces(input) { connection.receive(piece) }
    connection.close()
  }

  /// The first byte says how long the pieces are; 0 leaves the rest whole.
  static func pieces(_ input: [UInt8]) -> [[UInt8]] {
    guard let first = input.first else { return [] }
    let rest = input.dropFirst()
    guard first > 0 else { return [Array(rest)] }
    return stride(from: rest.startIndex, to: rest.endIndex, by: Int(first)).map { start in
      Array(rest[start..<min(start + Int(first), rest.endIndex)])
    }
  }
}

/// Frames of HTTP/2 that a connection may well begin with.
enum FrameWords {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  static let settings = frame(type: 4)
  static let settingsAcknowledgement = frame(type: 4, flags: 1)

  static let all: [[UInt8]] = [
    settings, settingsAcknowledgement,
    frame(type: 0, flags: 1, stream: 1, payload: [0, 0, 0, 0, 2, 7, 7]),
    frame(type: 1, flags: 5, stream: 3), frame(type: 3, stream: 1, payload: [0, 0, 0, 8]),
    frame(type: 6, payload: Array("pingpong".utf8)), frame(type: 7, payload: [0, 0, 0, 1, 0, 0, 0, 0]),
    frame(type: 8, payload: [0, 0, 0xff, 0xff]), frame(type: 9, flags: 4, stream: 1), [0x88], [0, 0, 0, 0, 5],
  ]

  static func frame(type: UInt8, flags: UInt8 = 0, stream: UInt8 = 0, payload: [UInt8] = []) -> [UInt8] {
    [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
  }
}

/// An echo server's side of one connection, with its tasks on the thread of the caller.
private final class ServerUnderFuzz {
  private let channel = EmbeddedChannel()
  private let finished: EventLoopFuture<Void>
  private let link: ConnectionLink
  private var received = 0
  private var sent = 0

  init() {
    let method = MethodDescriptor(fullyQualifiedService: "a.B", method: "C")
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    settings.maxRequestBytes = 64 << 10
    // The smallest, which saves a frame.
    settings.http2.windowSize = 65_535
    // Less than an input may have.
    settings.http2.maxHeldBytes = 1_024
    settings.compressesResponses = true
    let service = ServerCallService(methods: ["/a.B/C": settings.served(method)], settings: settings, handler: Self.echo)
    let done = channel.eventLoop.makePromise(of: Void.self)
    finished = done.futureResult
    do {
      try ServerPipeline.configure(
        channel, service: service, executor: EventLoopTaskExecutor(channel.eventLoop), finished: done)
      link = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).link
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    } catch {
      preconditionFailure("the pipeline of the server could not be made: \(error)")
    }
  }

  private static let echo: ServerCallService.Handler = { stream, _ in
    do {
      for try await part in stream.inbound {
        switch part {
        case .metadata(let metadata): try await stream.outbound.write(.metadata(metadata))
        case .message(let message): try await stream.outbound.write(.message(message))
        }
      }
      try await stream.outbound.write(.status(Status(code: .ok, message: ""), [:]))
    } catch {
      await stream.outbound.finish(throwing: error)
    }
  }

  func receive(_ bytes: [UInt8]) {
    received += bytes.count
    sent += channel.exchange(bytes)
    // An answer repeats metadata and messages, which gzip may have blown up to the largest size taken; each byte asks for a frame
    // or two at most.
    precondition(sent < 4 << 20 || sent < received * 1_000, "\(received) bytes were answered by \(sent)")
    // The shortest message is a prefix of five bytes.
    let held = link.budget.heldBytes
    precondition((0...received * (1 + ConnectionReceiveBudget.messageOverhead / 5)).contains(held), "\(held) bytes are held")
    precondition(
      !link.budget.isWedged, "the connection holds beginnings of messages and waits for their ends, which have no room")
  }

  func close() {
    channel.end()
    var isFinished = false
    finished.whenComplete { _ in isFinished = true }
    channel.embeddedEventLoop.run()
    precondition(isFinished, "a handler outlives its connection")
    precondition(link.budget.heldBytes == 0, "\(link.budget.heldBytes) bytes are held for a connection that is gone")
  }
}

/// A client's side of one connection. Its callers run on the thread of the fuzzer, as all of it does.
private final class ClientUnderFuzz: @unchecked Sendable {
  private let channel = EmbeddedChannel()
  private let executor: EventLoopTaskExecutor
  private let ready: EventLoopFuture<ClientConnectionRole>
  private let retired: EventLoopFuture<Void>
  private var callers = 0

  init() {
    executor = EventLoopTaskExecutor(channel.eventLoop)
    let ready = channel.eventLoop.makePromise(of: ClientConnectionRole.self)
    let retired = channel.eventLoop.makePromise(of: Void.self)
    self.ready = ready.futureResult
    self.retired = retired.futureResult
    do {
      var settings = ClientTransportSettings(host: "127.0.0.1", port: 1)
      settings.http2.windowSize = 65_535
      try ClientPipeline.configure(
        channel, settings: settings,
        headers: RequestHeaderEncoder(scheme: "http", authority: "a", userAgent: "b"), ready: ready, retired: retired)
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    } catch {
      preconditionFailure("the pipeline of the client could not be made: \(error)")
    }
  }

  func receive(_ bytes: [UInt8]) {
    _ = channel.exchange(bytes)
  }

  /// One call that is complete, one whose request goes on, one whose caller leaves after the first part.
  func beginCalls() {
    ready.whenSuccess { role in
      for kind in 0..<3 { self.beginCall(kind, role: role) }
    }
    channel.embeddedEventLoop.run()
  }

  private func beginCall(_ kind: Int, role: ClientConnectionRole) {
    let connection = ClientConnection(
      id: 1, lane: 0, channel: channel, role: role, executor: executor, remotePeer: "", localPeer: "", retired: retired)
    let call = ClientCall(
      MethodDescriptor(fullyQualifiedService: "a.B", method: "C"),
      machine: ClientStreamStateMachine(maxMessageBytes: 64 << 10, compressesRequest: kind == 1),
      connection: connection)
    callers += 1
    Task(executorPreference: executor) {
      do {
        _ = try call.begin([:])
        _ = try call.write(.message(MessageBytes([1, 2, 3])))
        if kind == 0 { call.finishWriting() }
        for try await _ in ResponsePartSequence(inbound: call.inbound) where kind == 2 { break }
      } catch {
        // Whatever the server did is an answer.
      }
      call.leave()
      self.callers -= 1
    }
  }

  func close() {
    channel.end()
    precondition(callers == 0, "a caller waits for a connection that is gone")
  }
}

extension EmbeddedChannel {
  /// Takes bytes from the peer and lets the loop run; returns how many bytes go back.
  fileprivate func exchange(_ bytes: [UInt8]) -> Int {
    // A handler that refuses what it is given says so by closing the channel.
    _ = try? writeInbound(ByteBuffer(bytes: bytes))
    embeddedEventLoop.run()
    return drain()
  }

  /// Closes the channel and lets everything end that waits for it.
  fileprivate func end() {
    _ = try? finish(acceptAlreadyClosed: true)
    embeddedEventLoop.run()
    _ = drain()
  }

  private func drain() -> Int {
    var count = 0
    while let buffer = (try? readOutbound(as: ByteBuffer.self)) ?? nil { count += buffer.readableBytes }
    return count
  }
}
