import GRPCCore
import NIOCore
import NIOEmbedded
import NIOHPACK

@testable import PonosTransport

/// A client's side of one connection without a network; everything runs on the thread of the test.
final class EmbeddedClient: @unchecked Sendable {
  // Unchecked: one thread.
  let channel = EmbeddedChannel()
  private let executor: EventLoopTaskExecutor
  private let ready: EventLoopFuture<ClientConnectionRole>
  private let retired: EventLoopFuture<Void>
  /// How the calls ended, by number.
  private(set) var statuses: [Int: Status] = [:]

  init(_ settings: ClientTransportSettings = ClientTransportSettings(host: "127.0.0.1", port: 1)) throws {
    executor = EventLoopTaskExecutor(channel.eventLoop)
    let ready = channel.eventLoop.makePromise(of: ClientConnectionRole.self)
    let retired = channel.eventLoop.makePromise(of: Void.self)
    (self.ready, self.retired) = (ready.futureResult, retired.futureResult)
    try ClientPipeline.configure(
      channel, settings: settings, headers: RequestHeaderEncoder(scheme: "http", authority: "a", userAgent: "b"),
      ready: ready, retired: retired)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
  }

  /// Takes frames from the server and lets the loop run.
  func receive(_ frames: ByteBuffer...) throws {
    for frame in frames { try channel.writeInbound(frame) }
    channel.embeddedEventLoop.run()
  }

  /// Begins a call whose request is complete at once.
  func beginCall(_ number: Int, metadata: Metadata = [:], deadline: NIODeadline? = nil) {
    ready.whenSuccess { role in
      let connection = ClientConnection(
        id: 1, lane: 0, channel: self.channel, role: role, executor: self.executor, remotePeer: "", localPeer: "",
        retired: self.retired)
      let call = ClientCall(
        HeaderTests.method, machine: ClientStreamStateMachine(maxMessageBytes: 1_000, compressesRequest: false),
        connection: connection, deadline: deadline)
      Task(executorPreference: self.executor) {
        do {
          _ = try call.begin(metadata)
          call.finishWriting()
          for try await part in ResponsePartSequence(inbound: call.inbound) {
            if case .status(let status, _) = part { self.statuses[number] = status }
          }
        } catch {
          self.statuses[number] = Status(code: .unknown, message: "\(error)")
        }
        call.leave()
      }
    }
    channel.embeddedEventLoop.run()
  }

  func advance(by time: TimeAmount) {
    channel.embeddedEventLoop.advanceTime(by: time)
    channel.embeddedEventLoop.run()
  }

  /// The header fields of the only call that has been begun; nothing else may have been asked for what was sent.
  func sentHeaders() throws -> HPACKHeaders? {
    guard var block = try sentFrames().first(where: { $0.kind == 1 })?.payload else { return nil }
    var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    return try decoder.decodeHeaders(from: &block)
  }

  /// The frames written since this was last asked.
  func sentFrames() throws -> [(kind: UInt8, stream: UInt32, payload: ByteBuffer)] {
    var bytes = ByteBuffer()
    while let written = try channel.readOutbound(as: ByteBuffer.self) { bytes.writeImmutableBuffer(written) }
    if bytes.getString(at: bytes.readerIndex, length: 3) == "PRI" { bytes.moveReaderIndex(forwardBy: 24) }
    return RawFrame.all(bytes)
  }

  func close() {
    _ = try? channel.finish(acceptAlreadyClosed: true)
    channel.embeddedEventLoop.run()
  }
}
