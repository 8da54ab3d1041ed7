import NIOCore
import NIOEmbedded
import Testing

@testable import PonosTransport

@Suite("Joining of writes")
struct WriteCoalescerTests {
  private let channel = EmbeddedChannel(handler: WriteCoalescer())

  init() throws {
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
  }

  private func write(_ text: String, promise: EventLoopPromise<Void>? = nil) {
    channel.write(ByteBuffer(string: text), promise: promise)
  }

  /// What has reached the network, one string for each write.
  private func written() throws -> [String] {
    var texts: [String] = []
    while let data = try channel.readOutbound(as: IOData.self) {
      if case .byteBuffer(let bytes) = data { texts.append(String(buffer: bytes)) }
    }
    return texts
  }

  @Test("writes of one turn leave as one, in their order, and complete with it")
  func joined() throws {
    let promises = (0..<2).map { _ in channel.eventLoop.makePromise(of: Void.self) }
    write("a", promise: promises[0])
    write("b")
    write("c", promise: promises[1])
    #expect(try written().isEmpty)
    channel.flush()
    #expect(try written() == ["abc"])
    for promise in promises { try promise.futureResult.wait() }
    write("d")
    channel.flush()
    #expect(try written() == ["d"])
  }

  @Test("a long write is passed on as it is, between those around it")
  func long() throws {
    let text = String(repeating: "x", count: 5_000)
    for piece in ["a", text, "b"] { write(piece) }
    channel.flush()
    #expect(try written() == ["a", text, "b"])
  }

  @Test("what is written when a flush completes is not lost, however much was held before", arguments: [1, 5])
  func writtenDuringFlush(pieces: Int) throws {
    let piece = String(repeating: "x", count: 4_000)
    let promise = channel.eventLoop.makePromise(of: Void.self)
    promise.futureResult.whenSuccess { write("again") }
    for _ in 0..<pieces { write(piece) }
    write("end", promise: promise)
    channel.flush()
    channel.flush()
    #expect(try written().joined() == String(repeating: piece, count: pieces) + "endagain")
  }

  @Test("whoever waits for a write hears that the connection closed first")
  func closed() throws {
    let promise = channel.eventLoop.makePromise(of: Void.self)
    write("a", promise: promise)
    try channel.close().wait()
    #expect(throws: ChannelError.self) { try promise.futureResult.wait() }
  }
}
