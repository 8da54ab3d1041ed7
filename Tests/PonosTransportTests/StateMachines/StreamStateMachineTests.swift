import GRPCCore
import NIOCore
import Testing

@testable import PonosTransport

@Suite("Streams")
struct StreamStateMachineTests {
  static let headers = RequestHeaderEncoder(scheme: "http", authority: "a", userAgent: "b").make(for: HeaderTests.method)
  static let responseHead: HeaderFields = [":status": "200", "content-type": "application/grpc"]

  static func server(endStream: Bool = false) -> ServerStreamStateMachine {
    ServerStreamStateMachine(maxMessageBytes: 10, requestIsGzip: false, compressesResponse: false, endStream: endStream)
  }

  /// A client's stream whose request has begun.
  static func client() throws -> ClientStreamStateMachine {
    var machine = ClientStreamStateMachine(maxMessageBytes: 10, compressesRequest: false)
    _ = try machine.begin(headers, metadata: [:])
    return machine
  }

  static func events(_ machine: inout ClientStreamStateMachine) -> [String] {
    var names: [String] = []
    while let event = machine.nextEvent() {
      switch event {
      case .metadata: names.append("metadata")
      case .message: names.append("message")
      case .credit: names.append("credit")
      case .status(let status, _): names.append("\(status.code)")
      }
    }
    return names
  }

  static func events(_ machine: inout ServerStreamStateMachine) -> [String] {
    var names: [String] = []
    while let event = machine.nextEvent() {
      switch event {
      case .message: names.append("message")
      case .credit: names.append("credit")
      case .requestEnded: names.append("end")
      case .fault(let fault): names.append("\(fault.code)")
      }
    }
    return names
  }

  @Test("a server's request and response end independently")
  func serversRequestAndResponseEndIndependently() throws {
    var machine = Self.server()
    #expect(throws: RPCError.self) { () throws in _ = try machine.send(message: MessageBytes([1])) }
    _ = try machine.send(metadata: [:])
    #expect(throws: RPCError.self) { () throws in _ = try machine.send(metadata: [:]) }
    let trailers = try machine.send(status: .init(code: .ok, message: ""), metadata: [:])
    #expect(trailers.map(\.name) == ["grpc-status"])
    #expect(machine.isAnswered && machine.requestIsOpen)
    let taken = machine.receive(MessageBytes([1]).framed, endStream: true)
    #expect(taken)
    #expect(Self.events(&machine) == ["message", "end"])
    #expect(!machine.requestIsOpen)
    #expect(throws: RPCError.self) { () throws in _ = try machine.send(status: .init(code: .ok, message: ""), metadata: [:]) }
  }

  @Test("what follows a request that nobody reads is dropped")
  func whatFollowsRequestThatNobodyReadsIsDropped() {
    var machine = Self.server()
    _ = machine.receive(ByteBuffer(bytes: [0, 0, 0, 0, 9, 1]), endStream: false)
    #expect(Self.events(&machine) == ["credit"])
    let dropped = machine.abandonRequest()
    #expect(dropped == 6)
    let taken = machine.receive(MessageBytes([1]).framed, endStream: false)
    #expect(!taken && machine.requestIsOpen)
    #expect(Self.events(&machine) == [])
  }

  @Test("a request that ends inside a message is a fault")
  func requestThatEndsInsideMessageIsFault() {
    var machine = Self.server()
    _ = machine.receive(ByteBuffer(bytes: [0, 0, 0, 0, 9, 1]), endStream: true)
    #expect(Self.events(&machine) == ["internalError"])
  }

  @Test("a client's answer without trailers is an error")
  func clientsAnswerWithoutTrailersIsError() throws {
    var machine = try Self.client()
    machine.receive(Self.responseHead, endStream: false)
    _ = machine.receive(MessageBytes([1]).framed, endStream: true)
    #expect(Self.events(&machine) == ["metadata", "message", "internalError"])
    #expect(machine.isAnswered)
  }

  @Test("a client's answer may consist of trailers alone")
  func clientsAnswerMayConsistOfTrailersAlone() throws {
    var machine = try Self.client()
    machine.receive(Self.responseHead + ["grpc-status": "5", "grpc-message": "no%20such"], endStream: true)
    #expect(Self.events(&machine) == ["notFound"])
    #expect(!machine.serverMaySend)
  }

  @Test("interim answers are skipped, others that are not gRPC end the call")
  func interimAnswersAreSkipped() throws {
    var machine = try Self.client()
    machine.receive([":status": "100"], endStream: false)
    #expect(Self.events(&machine) == [])
    machine.receive([":status": "503", "content-type": "text/html"], endStream: false)
    #expect(Self.events(&machine) == ["unavailable"])
    #expect(machine.isAnswered && machine.serverMaySend)
  }

  @Test("header fields larger than a frame are refused before they are sent")
  func headerFieldsLargerThanFrameAreRefusedBeforeThey() throws {
    let large: Metadata = ["x": .string(String(repeating: "v", count: 17_000))]
    var client = ClientStreamStateMachine(maxMessageBytes: 10, compressesRequest: false)
    #expect(throws: RPCError.self) { () throws in
      _ = try client.begin(Self.headers, metadata: large)
    }
    var server = Self.server()
    #expect(throws: RPCError.self) { () throws in _ = try server.send(metadata: large) }
    let trailers = try server.send(status: .init(code: .unknown, message: String(repeating: "☺", count: 9_000)), metadata: large)
    #expect(!trailers["grpc-status"].isEmpty && trailers["x"].isEmpty)
    #expect(MetadataCoding.fitInOneFrame(trailers))
  }
}

extension HeaderFields {
  fileprivate static func + (left: HeaderFields, right: HeaderFields) -> HeaderFields {
    var sum = left
    for field in right { sum.add(name: field.name, value: field.value) }
    return sum
  }
}
