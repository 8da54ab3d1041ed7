import GRPCCore
import NIOCore
import NIOEmbedded
import NIOHPACK
import Testing

@testable import PonosTransport

/// A client's connection and a server that can be made to do anything.
@Suite("Connection of a client")
struct ClientConnectionTests {
  static let settings = RawFrame.bytes(type: 4)

  static func goAway(lastStream: UInt8) -> ByteBuffer {
    RawFrame.bytes(type: 7, payload: [0, 0, 0, lastStream, 0, 0, 0, 0])
  }

  @Test("GOAWAY makes every call unavailable that the server did not take, whether it had left or waited for a stream")
  func goawayMakesEveryCallUnavailableThatServer() throws {
    let client = try EmbeddedClient()
    // SETTINGS_MAX_CONCURRENT_STREAMS = 2
    try client.receive(RawFrame.bytes(type: 4, payload: [0, 3, 0, 0, 0, 2]))
    for number in 1...4 { client.beginCall(number) }
    try client.receive(Self.goAway(lastStream: 1))
    #expect(client.statuses.mapValues(\.code) == [2: .unavailable, 3: .unavailable, 4: .unavailable])
    // The one that was taken goes on.
    try client.receive(RawFrame.bytes(type: 3, stream: 1, payload: [0, 0, 0, 11]))
    #expect(client.statuses[1]?.code == .resourceExhausted)
    client.close()
  }

  @Test("a deadline named in the metadata ends the call and its stream")
  func deadlineNamedInMetadataEndsCallAndItsStream() throws {
    let client = try EmbeddedClient()
    try client.receive(Self.settings)
    client.beginCall(1, metadata: ["grpc-timeout": "100m"])
    _ = try client.sentFrames()
    client.advance(by: .milliseconds(99))
    #expect(client.statuses.isEmpty)
    client.advance(by: .milliseconds(1))
    #expect(client.statuses[1]?.code == .deadlineExceeded)
    #expect(try client.sentFrames().contains { $0.kind == 3 && $0.stream == 1 })
    client.close()
  }

  @Test("the server is told what a deadline has left, whatever the metadata says")
  func serverIsToldWhatDeadlineHasLeft() throws {
    let client = try EmbeddedClient()
    try client.receive(Self.settings)
    let deadline = client.channel.embeddedEventLoop.now + .milliseconds(2_000)
    client.advance(by: .milliseconds(500))
    client.beginCall(1, metadata: ["grpc-timeout": "7S"], deadline: deadline)
    #expect(try client.sentHeaders()?["grpc-timeout"] == ["1500000u"])
    client.advance(by: .milliseconds(1_499))
    #expect(client.statuses.isEmpty)
    client.advance(by: .milliseconds(1))
    #expect(client.statuses[1]?.code == .deadlineExceeded)
    client.close()
  }

  @Test("a call whose deadline has passed is not begun")
  func callWhoseDeadlineHasPassedIsNotBegun() throws {
    let client = try EmbeddedClient()
    try client.receive(Self.settings)
    client.beginCall(1, deadline: client.channel.embeddedEventLoop.now)
    #expect(client.statuses[1]?.message.contains("deadline") == true)
    #expect(try client.sentHeaders() == nil)
    client.close()
  }

  @Test("who has reset a stream is told apart")
  func whoHasResetStreamIsToldApart() throws {
    let client = try EmbeddedClient()
    try client.receive(Self.settings)
    for number in 1...2 { client.beginCall(number) }
    // FLOW_CONTROL_ERROR, once said by the server and once by us: nothing opens a window beyond its largest size.
    try client.receive(RawFrame.bytes(type: 3, stream: 1, payload: [0, 0, 0, 3]))
    try client.receive(RawFrame.bytes(type: 8, stream: 3, payload: [0x7f, 0xff, 0xff, 0xff]))
    #expect(client.statuses[1]?.message.contains("the peer reset") == true)
    #expect(client.statuses[2]?.message.contains("the peer") == false)
    client.close()
  }
}
