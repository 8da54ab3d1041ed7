import GRPCCore
import NIOCore
import Testing

@testable import PonosTransport

@Suite("Header fields")
struct HeaderTests {
  static let method = MethodDescriptor(fullyQualifiedService: "a.B", method: "C")
  static let good: [(String, String)] = [
    (":method", "POST"), (":path", "/a.B/C"), (":scheme", "http"), ("te", "trailers"), ("content-type", "application/grpc+proto"),
  ]

  static func head(_ fields: [(String, String)]) throws -> ParsedRequest {
    try ParsedRequest(HeaderFields(fields), methods: ["/a.B/C": ServedMethod(method)])
  }

  @Test("a request's fields are taken apart")
  func requestsFieldsAreTakenApart() throws {
    let fields = [
      ("grpc-timeout", "250m"), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "identity, gzip"),
      ("x-text", "v"), ("x-bytes-bin", "AAEC,/w"),
    ]
    let head = try Self.head(Self.good + fields)
    #expect(head.method.descriptor == Self.method)
    #expect(head.timeout == .milliseconds(250))
    #expect(head.requestIsGzip && head.acceptsGzip)
    #expect(head.metadata.count == 3)
    #expect(Array(head.metadata[binaryValues: "x-bytes-bin"]) == [[0, 1, 2], [255]])
  }

  @Test(
    "an HTTP status that is no answer of gRPC becomes its code",
    arguments: [
      ("400", RPCError.Code.internalError), ("401", .unauthenticated), ("403", .permissionDenied), ("404", .unimplemented),
      ("429", .unavailable), ("502", .unavailable), ("503", .unavailable), ("504", .unavailable), ("500", .unknown),
    ])
  func httpStatusThatIsNoAnswerOfGRPCBecomesItsCode(status: String, code: RPCError.Code) {
    let head = ParsedResponse(first: [":status": status, "content-type": "text/html"], endStream: true)
    guard case .final(let answer, _) = head else {
      Issue.record("not the end: \(head)")
      return
    }
    #expect(answer.code == Status.Code(code))
  }

  @Test("what is not gRPC gets an HTTP status")
  func whatIsNotGRPCGetsHTTPStatus() {
    let wrongType = Self.good.map { $0.0 == "content-type" ? ($0.0, "application/grpcweb") : $0 }
    #expect(throws: ParsedRequest.Refusal.http(status: "415")) { try Self.head(wrongType) }
    let get = Self.good.map { $0.0 == ":method" ? ($0.0, "GET") : $0 }
    #expect(throws: ParsedRequest.Refusal.http(status: "405")) { try Self.head(get) }
  }

  @Test("unknown methods, unknown encodings and malformed timeouts get a gRPC status")
  func unknownMethodsUnknownEncodingsAndMalformed() {
    let unknown = Self.good.map { $0.0 == ":path" ? ($0.0, "/a.B/D") : $0 }
    for fields in [unknown, Self.good + [("grpc-encoding", "snappy")], Self.good + [("grpc-timeout", "5")]] {
      let refusal = #expect(throws: ParsedRequest.Refusal.self) { try Self.head(fields) }
      guard case .grpc = refusal else { Issue.record("not a gRPC refusal"); continue }
    }
  }

  @Test(
    "timeouts",
    arguments: [
      ("1H", 3_600_000), ("2M", 120_000), ("3S", 3_000), ("45m", 45), ("99999999m", 99_999_999),
      ("99999999H", 359_999_996_400_000),
    ])
  func timeouts(text: String, milliseconds: Int) {
    #expect(GRPCTimeout.parse(text) == .milliseconds(milliseconds))
  }

  @Test(
    "a timeout is written as exactly as eight digits allow, and never too short",
    arguments: [
      (1, "1n"), (99_999_999, "99999999n"), (100_000_001, "100001u"), (1_500_000_000, "1500000u"), (600_000_000_001, "600001m"),
      (Int64.max, "99999999S"),
    ])
  func timeoutIsWrittenAsExactlyAsEightDigitsAllow(nanoseconds: Int64, text: String) {
    #expect(GRPCTimeout.text(for: .nanoseconds(nanoseconds)) == text)
  }

  @Test("malformed timeouts", arguments: ["", "S", "1", "1x", "-1S", "123456789S", "1 S", "١S"])
  func malformedTimeouts(text: String) {
    #expect(GRPCTimeout.parse(text) == nil)
  }

  @Test("base64, padded or not", arguments: 0..<20)
  func base64PaddedOrNot(length: Int) {
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 91 &+ 200) }
    let text = Base64.encode(bytes)
    #expect(Base64.decode(text) == bytes)
    let padded = text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    #expect(Base64.decode(padded) == bytes)
  }

  @Test("what is not base64", arguments: ["A", "AAAAA", "A=A=", "AA*A", "====", "Ünï="])
  func whatIsNotBase64(text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test("status messages survive, whatever characters they have", arguments: ["plain", "100%", "\t\r\n", "☺😈", "%41", ""])
  func statusMessagesSurvive(text: String) {
    let encoded = StatusMessageEncoding.encode(text)
    #expect(encoded.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
    #expect(StatusMessageEncoding.decode(encoded) == text)
  }

  @Test("malformed escapes stay as they are", arguments: ["%", "%4", "%zz", "a%2"])
  func malformedEscapesStayAsTheyAre(text: String) {
    #expect(StatusMessageEncoding.decode(text) == text)
  }

  @Test("metadata that HTTP/2 could not carry is left out")
  func metadataThatHTTP2CouldNotCarryIsLeftOut() {
    var headers = HeaderFields()
    let metadata: Metadata = [
      "ok": "yes", "Upper": "lowered", ":path": "no", "grpc-status": "0", "bad name": "no", "line": "a\nb", "te": "no",
    ]
    MetadataCoding.append(metadata, to: &headers)
    #expect(headers.map(\.name) == ["ok", "upper"])
  }

  @Test(
    "a response's first fields",
    arguments: [
      ([(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5"), ("grpc-message", "a%20b")], 5, "a b"),
      ([(":status", "503"), ("content-type", "text/html")], 14, "the server answered with HTTP status 503"),
      ([(":status", "404")], 12, "the server answered with HTTP status 404"),
      ([(":status", "200"), ("content-type", "text/html")], 2, "the server answered with a content-type that is not gRPC"),
      ([(":status", "200"), ("content-type", "application/grpc")], 2, "the server ended the call without a valid grpc-status"),
    ])
  func responsesFirstFields(fields: [(String, String)], code: Int, message: String) {
    guard case .final(let status, _) = ParsedResponse(first: HeaderFields(fields), endStream: true) else {
      Issue.record("not final")
      return
    }
    #expect(status.code.rawValue == code)
    #expect(status.message == message)
  }

  @Test(
    "reset codes become status codes",
    arguments: [
      (HTTP2ErrorCode.refusedStream, RPCError.Code.unavailable), (.cancel, .cancelled), (.enhanceYourCalm, .resourceExhausted),
      (.inadequateSecurity, .permissionDenied), (.internalError, .internalError), (.noError, .internalError),
    ])
  func resetCodesBecomeStatusCodes(code: HTTP2ErrorCode, expected: RPCError.Code) {
    #expect(CallFault.peerReset(code).code == expected)
  }
}
