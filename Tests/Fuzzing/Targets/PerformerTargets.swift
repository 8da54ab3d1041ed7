import AsyncHTTPClient
import GRPCCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import PonosCore

@testable import PonosContainers
@testable import PonosCrypto
@testable import PonosExecutor
@testable import PonosTransport

extension FuzzTarget {
  /// What a performer sends over HTTP in answer to a task, cut by the first byte of the input.
  ///
  /// Checks that no more is taken than a result may have, and that an error's words are short.
  static let httpReplies = FuzzTarget(
    "http-replies",
    words: [
      "HTTP/1.1 200 OK\r\n", "HTTP/1.1 503 Busy\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
      "Ponos-Task-Id: 0x\r\n",
      "Retry-After: 7\r\n", "\r\n", "5\r\nhello\r\n", "0\r\n\r\n",
    ]
  ) { input in
    guard let response = HTTPResponseParser.response(from: pieces(input)) else { return }
    let channel = EmbeddedChannel()
    let outcome = UnsafeOutcome()
    Task(executorPreference: EventLoopTaskExecutor(channel.eventLoop)) {
      do { outcome.value = .success(try await HTTPPerformerConnection.reply(in: response)) } catch {
        outcome.value = .failure(error)
      }
    }
    channel.embeddedEventLoop.run()
    switch outcome.value {
    case .success(let reply): precondition(reply.output.count <= ResponseChecks.maxOutputBytes)
    case .failure(let error as PerformerCallError): check(error)
    case .failure(let error): preconditionFailure("a response is refused with an error of another kind: \(error)")
    case nil: preconditionFailure("a response that is there is waited for")
    }
  }

  /// The status of a gRPC performer: its code, then the bytes of `grpc-status-details-bin`.
  static let statusDetails = FuzzTarget(
    "status-details", words: ["type.googleapis.com/google.rpc.RetryInfo", "type.googleapis.com/", "google.rpc.Status"]
  ) { input in
    guard let first = input.first else { return }
    let code = Status.Code(rawValue: Int(first % 17)).flatMap { RPCError.Code($0) } ?? .unknown
    var metadata = Metadata()
    metadata.addBinary(Array(input.dropFirst()), forKey: "grpc-status-details-bin")
    check(GRPCPerformerConnection.classify(RPCError(code: code, message: "m", metadata: metadata), isTimeOver: first > 127))
  }

  /// Whatever a performer says, it is known what to do.
  private static func check(_ error: PerformerCallError) {
    switch error {
    case .answeredBusy(let words, let pause):
      precondition(words.utf8.count < 4096)
      let failure = TaskFailure.performerBusy(words, retryAfter: pause)
      let delay = RetryPolicy().delay(after: failure, attempt: 1, remaining: .seconds(60))
      precondition(
        delay.map { $0 > .zero && $0 < .seconds(60) } ?? true, "a task is run again after \(String(describing: delay))")
    case .answeredError(_, let words): precondition(words.utf8.count < 4096)
    case .unreachable, .timedOut, .replyTooLarge, .cancelled: break
    }
  }

  /// Metadata of a call that says how urgent a task is, one field in a line with a colon between name and value.
  static let urgency = FuzzTarget(
    "urgency",
    words: ["ponos-priority: ", "ponos-deadline: ", "\n", "-", "+", "2147483647", "9223372036854775807", "1760000000000"]
  ) { input in
    var metadata = Metadata()
    for line in input.split(separator: UInt8(ascii: "\n")).prefix(16) {
      let field = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
      guard field.count == 2, !field[0].suffix(4).elementsEqual("-bin".utf8) else { continue }
      let value = String(decoding: field[1], as: UTF8.self).drop { $0 == " " }
      metadata.addString(String(value), forKey: String(decoding: field[0], as: UTF8.self))
    }
    do throws(Rejection) {
      let urgency = try TaskUrgency(metadata: metadata)
      let left = urgency.timeLeft(at: 1_760_000_000_000, timeout: .seconds(90))
      precondition(left <= .seconds(90), "a deadline makes a task longer")
    } catch {
      precondition(!error.message.isEmpty)
    }
  }
}

/// Reads bytes as the HTTP client does.
private enum HTTPResponseParser {
  /// The first response in the bytes; nil when there is none, or none that is complete.
  static func response(from pieces: [[UInt8]]) -> HTTPClientResponse? {
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
    do {
      try channel.pipeline.syncOperations.addHTTPClientHandlers()
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
      channel.write(HTTPClientRequestPart.head(HTTPRequestHead(version: .http1_1, method: .POST, uri: "/task")), promise: nil)
      try channel.writeAndFlush(HTTPClientRequestPart.end(nil)).wait()
      for piece in pieces { try channel.writeInbound(ByteBuffer(bytes: piece)) }
      return try read(channel)
    } catch {
      return nil
    }
  }

  private static func read(_ channel: EmbeddedChannel) throws -> HTTPClientResponse? {
    var head: HTTPResponseHead?
    var body = ByteBuffer()
    while let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
      switch part {
      case .head(let received): head = received
      case .body(let bytes): body.writeImmutableBuffer(bytes)
      case .end:
        return head.map { HTTPClientResponse(version: $0.version, status: $0.status, headers: $0.headers, body: .bytes(body)) }
      }
    }
    return nil
  }
}

/// Where a task leaves its result for the thread that runs it.
private final class UnsafeOutcome: @unchecked Sendable {
  var value: Result<PerformerReply, any Error>?
}

extension KeystoreKDF {
  /// Whether a key takes about a millisecond.
  var isLight: Bool {
    switch self {
    case .scrypt(let cost, _): cost.n <= 1024 && cost.r * cost.p <= 1
    case .pbkdf2(let iterations, _): iterations <= 1000
    }
  }
}
