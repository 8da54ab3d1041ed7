import NIOCore
import NIOEmbedded
import Testing

@testable import PonosTransport

/// HTTP/2 without a channel: sessions that talk to each other, and peers that send whatever they like.
@Suite("HTTP/2 session")
struct HTTP2SessionTests {
  @Test("a request and its answer: fields, message and end on either side, and no frame too many")
  func requestAndItsAnswer() throws {
    let pair = SessionPair()
    let stream = try pair.ask("question")
    pair.exchange()
    #expect(pair.server.log == ["settings 100", "headers 1 POST", "data 1 question end"])
    let response = pair.server.body()
    pair.server.session.respond(stream, [":status": "200"], body: response)
    response.append(ByteBuffer(string: "answer"))
    response.ending = .trailers(["grpc-status": "0"])
    pair.server.session.bodyGrew(response, of: stream)
    let frames = RawFrame.kinds(pair.server.output())
    pair.client.session.receive(frames.bytes)
    // SETTINGS have been acknowledged before.
    #expect(frames.kinds == [1, 0, 1])
    #expect(
      pair.client.log == [
        "opened 1", "ended 1", "settings 256", "headers 1 200", "data 1 answer", "headers 1 trailers end", "closed 1",
      ])
    #expect(pair.server.log.suffix(2) == ["ended 1", "closed 1"])
  }

  @Test("an end that comes after everything has been sent is no empty frame")
  func endThatComesAfterEverythingHasBeenSentIsNoEmpty() throws {
    let pair = SessionPair()
    let stream = try pair.openStream()
    let response = pair.server.body()
    pair.server.session.respond(stream, [":status": "200"], body: response)
    pair.exchange()
    #expect(response.isAwaited)
    response.ending = .trailers(["grpc-status": "0"])
    pair.server.session.bodyGrew(response, of: stream)
    #expect(RawFrame.kinds(pair.server.output()).kinds == [1])
  }

  @Test("bytes may be cut anywhere")
  func bytesMayBeCutAnywhere() throws {
    let pair = SessionPair()
    _ = try pair.ask("question")
    var bytes = pair.client.output()
    while let byte = bytes.readSlice(length: 1) { pair.server.session.receive(byte) }
    #expect(pair.server.session.failure == nil)
    #expect(pair.server.log.first == "settings 100" && pair.server.log.contains("headers 1 POST"))
    let content = pair.server.log.filter { $0.hasPrefix("data") }.map { $0.split(separator: " ")[2] }.joined()
    #expect(content.hasPrefix("question") && pair.server.log.last?.hasSuffix("end") == true)
  }

  @Test("the end of a stream is not told of another that is being reset in the middle of a frame")
  func endOfStreamIsNotToldOfAnotherThatIsBeingReset() throws {
    let pair = SessionPair().connected()
    _ = try pair.openStream()
    _ = try pair.openStream()
    let content = RawFrame.bytes(type: 0, stream: 1, payload: [UInt8]("abcdef".utf8))
    pair.server.session.receive(content.getSlice(at: 0, length: 12)!)
    pair.server.session.reset(1, .internalError)
    var rest = content.getSlice(at: 12, length: content.readableBytes - 12)!
    rest.writeImmutableBuffer(RawFrame.bytes(type: 0, flags: 1, stream: 3))
    pair.server.session.receive(rest)
    #expect(pair.server.log.contains { $0.hasPrefix("data 3") && $0.hasSuffix("end") })
    #expect(!pair.server.log.contains { $0.hasPrefix("data 1") && $0.hasSuffix("end") })
  }

  @Test("PINGs are answered, until they are a flood")
  func pingsAreAnswered() {
    let peer = SessionPair().connected().server
    for number in UInt64(0)..<1_000 { peer.session.receive(RawFrame.ping(number)) }
    #expect(peer.session.failure == nil)
    #expect(RawFrame.kinds(peer.output()).kinds.filter { $0 == 6 }.count == 1_000)
    for number in UInt64(0)..<50 where peer.session.failure == nil { peer.session.receive(RawFrame.ping(number)) }
    #expect(peer.session.failure != nil)
    let farewell = peer.farewell
    #expect(farewell?.code == 0xb && farewell?.reason == "too_many_pings")
  }

  @Test("floods of frames that cost more than they carry end the connection", arguments: Flood.all)
  func floodsOfFramesThatCostMoreThanTheyCarryEnd(_ flood: Flood) throws {
    let pair = SessionPair().connected()
    if flood.needsStream { _ = try pair.openStream() }
    for _ in 0..<1_100 where pair.server.session.failure == nil { pair.server.session.receive(flood.frame) }
    #expect(pair.server.session.failure != nil)
    #expect(pair.server.farewell?.code == 0xb)
  }

  struct Flood: Sendable {
    var frame: ByteBuffer
    var needsStream = false

    static let all = [
      Flood(frame: RawFrame.bytes(type: 4)), Flood(frame: RawFrame.ping(1, acknowledgement: true)),
      Flood(frame: RawFrame.bytes(type: 3, stream: 1, payload: [0, 0, 0, 8]), needsStream: true),
      Flood(frame: RawFrame.bytes(type: 0, stream: 1), needsStream: true),
      Flood(frame: RawFrame.bytes(type: 0, flags: 8, stream: 1, payload: [2, 0, 0]), needsStream: true),
    ]
  }

  @Test("header fields beyond the limit are left out, and said to be; many times the limit ends the connection")
  func headerFieldsBeyondLimitAreLeftOut() throws {
    let pair = SessionPair().connected()
    var headers = SessionPair.request
    for number in 0..<20 { headers.add(name: "x-\(number)", value: String(repeating: "v", count: 1_000)) }
    _ = try #require(pair.client.session.request(headers, body: pair.client.body()))
    pair.exchange()
    #expect(pair.server.lastHeaders?.defect == .tooLarge)
    #expect(pair.server.session.failure == nil)
    // One byte each: a field that the table holds since then.
    let block = [UInt8](repeating: 0x80 | 62, count: 16_000)
    pair.server.session.receive(RawFrame.bytes(type: 1, flags: 4, stream: 3, payload: block))
    #expect(pair.server.session.failure != nil)
  }

  @Test("whatever becomes of content, the connection's window is given back")
  func whateverBecomesOfContent() throws {
    let pair = SessionPair().connected()
    let stream = try pair.openStream()
    _ = pair.server.output()
    // Ten windows: padded, on a stream that is there, then on one that was reset.
    let padded = RawFrame.bytes(type: 0, flags: 8, stream: 1, payload: [200] + [UInt8](repeating: 1, count: 16_383))
    var updates = 0
    for round in 0..<640 {
      if round == 320 { pair.server.session.reset(stream, .cancel) }
      pair.server.session.receive(padded)
      pair.server.session.giveBack(16_383 - 200, to: stream)
      updates += RawFrame.kinds(pair.server.output()).kinds.filter { $0 == 8 }.count
    }
    #expect(pair.server.session.failure == nil)
    #expect(updates >= 10)
  }

  @Test("streams with much to send take turns", arguments: [true, false])
  func streamsWithMuchToSendTakeTurns(ofServer isServer: Bool) throws {
    let pair = SessionPair().connected()
    let sender = isServer ? pair.server : pair.client
    var bodies: [(stream: StreamID, request: OutboundBody)] = []
    for _ in 0..<3 {
      let request = pair.client.body()
      bodies.append((try #require(pair.client.session.request(SessionPair.request, body: request)), request))
    }
    pair.exchange()
    for (stream, request) in bodies {
      let body = isServer ? pair.server.body() : request
      if isServer { pair.server.session.respond(stream, [":status": "200"], body: body) }
      body.append(ByteBuffer(repeating: 7, count: 300 << 10))
      sender.session.bodyGrew(body, of: stream)
    }
    let turn = sender.session.makeOutput().reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
    #expect(Set(RawFrame.all(turn).filter { $0.kind == 0 }.map(\.stream)) == [1, 3, 5])
  }

  @Test("an end without content waits for no window")
  func endWithoutContentWaitsForNoWindow() throws {
    let pair = SessionPair()
    // SETTINGS_INITIAL_WINDOW_SIZE = 0
    pair.server.session.receive(ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
    pair.server.session.receive(RawFrame.bytes(type: 4, payload: [0, 4, 0, 0, 0, 0]))
    // :method: POST, :scheme: http, :path: /
    pair.server.session.receive(RawFrame.bytes(type: 1, flags: 5, stream: 1, payload: [0x83, 0x86, 0x84]))
    let response = pair.server.body()
    pair.server.session.respond(1, [":status": "200"], body: response)
    _ = pair.server.output()
    response.ending = .trailers(["grpc-status": "0"])
    pair.server.session.bodyGrew(response, of: 1)
    #expect(RawFrame.kinds(pair.server.output()).kinds == [1])
    #expect(pair.server.log.last == "closed 1")
  }

  @Test("the PING that confirms the announcement of a shutdown follows it")
  func pingThatConfirmsAnnouncementOfShutdownFollowsIt() {
    let server = SessionPair().connected().server
    server.session.announceShutdown(followedBy: 7)
    #expect(RawFrame.kinds(server.output()).kinds == [7, 6])
  }

  @Test("resets that a peer provokes are counted")
  func resetsThatPeerProvokesAreCounted() throws {
    let pair = SessionPair().connected()
    var opened = 0
    while pair.server.session.failure == nil, opened < 200 {
      opened += 1
      let stream = UInt32(2 * opened - 1)
      pair.server.session.receive(RawFrame.bytes(type: 1, flags: 4, stream: stream, payload: [0x83, 0x86, 0x84]))
      // More than a window can be.
      for _ in 0..<2 { pair.server.session.receive(RawFrame.bytes(type: 8, stream: stream, payload: [0x7f, 0xff, 0xff, 0xff])) }
      _ = pair.server.output()
    }
    #expect(opened == 65)
  }

  @Test("a field that no message may have is a fault of its stream, and one with spaces around it is none")
  func fieldThatNoMessageMayHaveIsFaultOfItsStream() {
    let server = SessionPair().connected().server
    let fields: [(String, String, HeaderFields.Defect?)] = [
      ("x", " padded ", nil), ("x", "a\nb", .malformed), ("X", "upper", .malformed), ("content-length", "7", nil),
    ]
    for (number, field) in fields.enumerated() {
      let literal = [0x00, UInt8(field.0.utf8.count)] + Array(field.0.utf8) + [UInt8(field.1.utf8.count)] + Array(field.1.utf8)
      let payload: [UInt8] = [0x83, 0x86, 0x84] + literal
      server.session.receive(RawFrame.bytes(type: 1, flags: 5, stream: UInt32(2 * number + 1), payload: payload))
      #expect(server.lastHeaders?.defect == field.2, "\(field.0): \(field.1)")
    }
    #expect(server.session.failure == nil)
  }

  @Test("a request that was reset before it could leave keeps nothing")
  func requestThatWasResetBeforeItCouldLeaveKeeps() throws {
    let pair = SessionPair()
    _ = pair.client.output()
    // SETTINGS_MAX_CONCURRENT_STREAMS = 0
    pair.client.session.receive(RawFrame.bytes(type: 4, payload: [0, 3, 0, 0, 0, 0]))
    let body = pair.client.body()
    let stream = try #require(pair.client.session.request(SessionPair.request, body: body))
    body.append(ByteBuffer(repeating: 7, count: 1 << 20))
    pair.client.session.bodyGrew(body, of: stream)
    pair.client.session.reset(stream, .cancel)
    _ = pair.client.output()
    #expect(body.count == 0)
    // There is room again: it is forgotten.
    pair.client.session.receive(RawFrame.bytes(type: 4, payload: [0, 3, 0, 0, 0, 9]))
    #expect(!RawFrame.kinds(pair.client.output()).kinds.contains(1))
    #expect(pair.client.log.contains("failed 1"))
  }

  @Test("output comes in turns, and all of it in the end")
  func outputComesInTurns() throws {
    let pair = SessionPair().connected()
    let stream = try pair.openStream()
    let response = pair.server.body()
    pair.server.session.respond(stream, [":status": "200"], body: response)
    response.append(ByteBuffer(repeating: 7, count: 1 << 20))
    response.ending = .trailers(["grpc-status": "0"])
    pair.server.session.bodyGrew(response, of: stream)
    var (turns, content) = (0, 0)
    while case let output = pair.server.session.makeOutput(), !output.isEmpty {
      turns += 1
      let bytes = output.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
      #expect(bytes.readableBytes <= 128 << 10)
      content += bytes.readableBytes
      pair.client.session.receive(bytes)
    }
    #expect(turns >= 8 && content >= 1 << 20)
    #expect(pair.client.log.last == "headers 1 trailers end")
  }
}

/// A session and what it told.
final class RecordedSession: HTTP2SessionDelegate {
  private(set) lazy var session = HTTP2Session(isServer: isServer, limits: HTTP2Limits(), delegate: self)
  private let isServer: Bool
  private(set) var log: [String] = []
  private(set) var lastHeaders: HeaderFields?
  private let loop = EmbeddedEventLoop()

  init(isServer: Bool) {
    self.isServer = isServer
  }

  func body() -> OutboundBody { OutboundBody(gate: SendGate(eventLoop: loop), unsent: UnsentMessages()) }

  /// All that is due.
  func output() -> ByteBuffer {
    var bytes = ByteBuffer()
    while case let output = session.makeOutput(), !output.isEmpty {
      for piece in output { bytes.writeImmutableBuffer(piece) }
    }
    return bytes
  }

  /// Error code and text of the GOAWAY among what is due.
  var farewell: (code: UInt32, reason: String)? {
    var bytes = output()
    while let frame = RawFrame.read(from: &bytes) {
      var payload = frame.payload
      guard frame.kind == 7, payload.readInteger(as: UInt32.self) != nil, let code = payload.readInteger(as: UInt32.self)
      else { continue }
      return (code, String(buffer: payload))
    }
    return nil
  }

  func settingsArrived(maxConcurrentStreams: Int?) { log.append("settings \(maxConcurrentStreams ?? 100)") }

  func received(_ headers: HeaderFields, endStream: Bool, on stream: StreamID) {
    lastHeaders = headers
    let what = headers[":method"].first ?? headers[":status"].first ?? "trailers"
    log.append("headers \(stream.rawValue) \(what)\(endStream ? " end" : "")")
  }

  func received(_ payload: ByteBuffer, endStream: Bool, on stream: StreamID) {
    log.append("data \(stream.rawValue) \(String(buffer: payload))\(endStream ? " end" : "")")
    session.giveBack(payload.readableBytes)
    session.giveBack(payload.readableBytes, to: stream)
  }

  func pingAcknowledged(_ opaque: UInt64) { log.append("pong \(opaque)") }
  func peerIsLeaving(lastStream: StreamID, code: HTTP2ErrorCode) { log.append("leaving \(lastStream.rawValue) \(code.rawValue)") }
  func streamOpened(_ stream: StreamID) { log.append("opened \(stream.rawValue)") }
  func streamEnded(_ stream: StreamID) { log.append("ended \(stream.rawValue)") }
  func streamFailed(_ stream: StreamID) { log.append("failed \(stream.rawValue)") }
  func streamClosed(_ stream: StreamID, fault: CallFault?) {
    log.append("closed \(stream.rawValue)\(fault.map { " \($0.code)" } ?? "")")
  }
}

/// A client and a server that hand each other their bytes.
struct SessionPair {
  static let request: HeaderFields = [":method": "POST", ":scheme": "http", ":path": "/a.B/C", ":authority": "a"]

  let client = RecordedSession(isServer: false)
  let server = RecordedSession(isServer: true)

  /// Exchanges bytes until neither has any.
  func exchange() {
    while true {
      let (asked, answered) = (client.output(), server.output())
      if asked.readableBytes == 0, answered.readableBytes == 0 { return }
      if asked.readableBytes > 0 { server.session.receive(asked) }
      if answered.readableBytes > 0 { client.session.receive(answered) }
    }
  }

  func connected() -> SessionPair {
    exchange()
    return self
  }

  /// Begins a request that consists of one message; its bytes are still to be exchanged.
  func ask(_ question: String) throws -> StreamID {
    let body = client.body()
    let stream = try #require(client.session.request(Self.request, body: body))
    body.append(ByteBuffer(string: question))
    body.ending = .data
    client.session.bodyGrew(body, of: stream)
    return stream
  }

  /// A stream whose request goes on.
  func openStream() throws -> StreamID {
    let stream = try #require(client.session.request(Self.request, body: client.body()))
    exchange()
    return stream
  }
}
