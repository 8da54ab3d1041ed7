import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import Testing

@testable import PonosTransport

@Suite("PING guard")
struct PingGuardTests {
  /// A guard alone on a channel that is past preface and SETTINGS.
  static func channel(
    pings: RateBudget = .pings, resets: RateBudget? = nil, control: RateBudget = .control
  ) throws -> EmbeddedChannel {
    let channel = EmbeddedChannel(handler: PingGuard(isServer: true, pings: pings, resets: resets, control: control))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.writeInbound(PingScannerTests.preface)
    try channel.writeInbound(PingScannerTests.settings)
    while try channel.readInbound(as: ByteBuffer.self) != nil {}
    return channel
  }

  @Test("answers with the same eight bytes and passes nothing on")
  func answers() throws {
    let channel = try Self.channel()
    try channel.writeInbound(RawFrame.ping(0x0102_0304_0506_0708))
    #expect(try channel.readOutbound(as: IOData.self) == .byteBuffer(RawFrame.ping(0x0102_0304_0506_0708, acknowledgement: true)))
    #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
    _ = try channel.finish()
  }

  @Test("ends the connection with GOAWAY when the budget is spent")
  func flood() throws {
    let channel = try Self.channel(pings: RateBudget(burst: 10, perSecond: 0))
    for number in UInt64(0)..<50 { try channel.writeInbound(RawFrame.ping(number)) }
    var sent: [ByteBuffer] = []
    while case .byteBuffer(let frame)? = try channel.readOutbound(as: IOData.self) { sent.append(frame) }
    #expect(sent.count == 11)
    #expect(sent.last?.getInteger(at: 3, as: UInt8.self) == 0x07)
    #expect(sent.last.flatMap { $0.getInteger(at: 13, as: UInt32.self) } == 0x0b)
    #expect(!channel.isActive)
  }

  @Test("ends the connection when control frames are too many, and passes none of those on", arguments: [3, 4, 6] as [UInt8])
  func flood(of type: UInt8) throws {
    let budget = RateBudget(burst: 200, perSecond: 0)
    let channel = try Self.channel(resets: budget, control: budget)
    let frame = RawFrame.bytes(
      type: type, flags: type == 6 ? 1 : 0, stream: type == 3 ? 1 : 0, payload: type == 3 ? [0, 0, 0, 8] : [])
    // One SETTINGS frame has come with the preface.
    for _ in 1..<200 { try channel.writeInbound(frame) }
    var passed = 0
    while try channel.readInbound(as: ByteBuffer.self) != nil { passed += 1 }
    #expect(channel.isActive && passed == 199)
    var rest = ByteBuffer()
    for _ in 0..<2 { rest.writeImmutableBuffer(frame) }
    try channel.writeInbound(rest)
    #expect(!channel.isActive)
    #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
    guard case .byteBuffer(let end)? = try channel.readOutbound(as: IOData.self) else { return #expect(Bool(false), "no GOAWAY") }
    #expect(end.getInteger(at: 13, as: UInt32.self) == 0x0b)
  }

  @Test("nothing is passed on behind a frame that is certain to be refused")
  func hopeless() throws {
    let channel = try Self.channel()
    try channel.writeInbound(RawFrame.bytes(type: 1, stream: 1, payload: [UInt8](repeating: 0, count: (1 << 14) + 1)))
    #expect(!channel.isActive)
    #expect(try channel.readInbound(as: ByteBuffer.self) != nil, "whoever refuses it has seen it")
    #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
  }

  @Test("the limits of swift-nio-http2 itself are out of reach: a thousand resets and settings, with no guard below")
  func libraryLimits() throws {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandler(HTTP2Limits().makeHandler(mode: .server, watcher: FrameWatcher()))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.writeInbound(PingScannerTests.preface)
    for _ in 0..<1_000 { try channel.writeInbound(PingScannerTests.settings) }
    var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
    var block = ByteBuffer()
    try encoder.encode(headers: [":method": "POST", ":scheme": "http", ":path": "/", ":authority": "a"], to: &block)
    for number in UInt32(0)..<1_000 {
      // Fields of later streams are found in the table that the first one filled.
      let fields = Array(block.readableBytesView)
      try channel.writeInbound(RawFrame.bytes(type: 1, flags: 4, stream: 2 * number + 1, payload: fields))
      try channel.writeInbound(RawFrame.bytes(type: 3, stream: 2 * number + 1, payload: [0, 0, 0, 8]))
    }
    #expect(channel.isActive)
    _ = try? channel.finish()
  }

  @Test("a thousand writes answered by a thousand PINGs are no flood")
  func pingPerWrite() throws {
    let channel = try Self.channel(pings: RateBudget(burst: 2, perSecond: 0))
    for number in UInt64(0)..<1_000 {
      try channel.writeOutbound(IOData.byteBuffer(ByteBuffer(string: "x")))
      try channel.writeInbound(RawFrame.ping(number))
    }
    #expect(channel.isActive)
    _ = try channel.finish(acceptAlreadyClosed: false)
  }

  @Test("keeps the PING limit of swift-nio-http2 out of reach")
  func beneathHTTP2() throws {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandlers([PingGuard(isServer: true), NIOHTTP2Handler(mode: .server)])
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.writeInbound(PingScannerTests.preface)
    try channel.writeInbound(PingScannerTests.settings)
    for number in UInt64(0)..<500 { try channel.writeInbound(RawFrame.ping(number)) }
    #expect(channel.isActive)
    var acknowledgements = 0
    while case .byteBuffer(let frame)? = try channel.readOutbound(as: IOData.self) {
      if frame.getInteger(at: 3, as: UInt8.self) == 6 { acknowledgements += 1 }
    }
    #expect(acknowledgements == 500)
    _ = try? channel.finish()
  }
}
