import Foundation
import GRPCCore
import Glibc
import NIOCore
import Testing

@testable import PonosTransport

/// How long a peer can keep an event loop with what it sends; the loop is the thread of the test.
@Suite("Stays on an event loop", .serialized)
struct EventLoopStayTests {
  /// Longest stay for one read of 64 KiB, as a debug build on a busy machine needs it; what runs without a bound takes seconds.
  private static let longest = Duration.milliseconds(250)

  /// Processor time that `body` takes of this thread, which other work on the machine does not count towards.
  private static func stay(_ body: () throws -> Void) rethrows -> Duration {
    let start = processorTime()
    try body()
    return processorTime() - start
  }

  private static func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// Sends `bytes` in reads of 64 KiB, as a socket hands them out; returns the longest stay.
  private static func feed(_ bytes: [UInt8], to server: EmbeddedServer) -> Duration {
    var longest = Duration.zero
    for start in stride(from: 0, to: bytes.count, by: 64 << 10) {
      let read = ByteBuffer(bytes: bytes[start..<min(start + 64 << 10, bytes.count)])
      // A connection that has been refused takes no more.
      longest = max(longest, stay { try? server.receive(read) })
    }
    return longest
  }

  /// The conversations that the fuzzer begins with; each begins with the length of its pieces.
  private static var corpus: [(name: String, bytes: [UInt8])] {
    get throws {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzzing/Corpus/server-connection")
      return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
        (name, [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)).dropFirst()))
      }
    }
  }

  @Test("no conversation of the fuzzer's keeps a loop for long, nor a thousand times as much of it")
  func noConversationOfFuzzersKeepsLoopForLong() throws {
    let corpus = try Self.corpus
    #expect(corpus.count >= 10)
    for (name, bytes) in corpus {
      let many = [UInt8]((0..<min(1_000, (1 << 20) / max(1, bytes.count))).map { _ in bytes }.joined())
      for input in [bytes, many] {
        let server = try EmbeddedServer()
        let stay = Self.feed(input, to: server)
        #expect(stay < Self.longest, "\(name), \(input.count) bytes")
        server.close()
      }
    }
  }

  @Test("large and odd requests keep no loop for long", arguments: LargeInput.allCases)
  func largeAndOddRequestsKeepNoLoopForLong(_ input: LargeInput) throws {
    let server = try EmbeddedServer()
    let stay = Self.feed(try input.bytes(for: server), to: server)
    #expect(stay < Self.longest)
    server.close()
  }

  /// What a peer may send much of.
  enum LargeInput: CaseIterable, Sendable {
    case message, tinyMessages, headerFields, gzipOfManyMessages

    func bytes(for server: EmbeddedServer) throws -> [UInt8] {
      switch self {
      case .message:
        try content([UInt8](repeating: 1, count: 1_000_000), on: server)
      case .tinyMessages:
        try content([UInt8](repeating: 0, count: 1_000_000), on: server, isFramed: true)
      case .headerFields:
        try (0..<200).flatMap { index in
          let fields = (0..<60).map { ("x-\($0)", String(repeating: "v", count: 100) + "\(index)") }
          return Array(try server.head(EmbeddedServer.unary, on: UInt32(index) * 2 + 1, fields: fields).readableBytesView)
        }
      case .gzipOfManyMessages:
        try content(Self.manyCompressed, on: server, isFramed: true, fields: [("grpc-encoding", "gzip")])
      }
    }

    /// Messages that each become almost eight times as large, and 64 KiB at most, together 7 MB.
    private static var manyCompressed: [UInt8] {
      let noise = (0..<7_000).map { _ in UInt8.random(in: 0...255) }
      let one = Gzip.compress(ByteBuffer(bytes: noise + [UInt8](repeating: 0, count: 45_000)))
      let framed = Array(MessageBytes.frame(one, isCompressed: true).readableBytesView)
      return (0..<130).flatMap { _ in framed }
    }

    private func content(
      _ bytes: [UInt8], on server: EmbeddedServer, isFramed: Bool = false, fields: [(String, String)] = []
    ) throws -> [UInt8] {
      let all = isFramed ? bytes : Array(MessageBytes(bytes).framed.readableBytesView)
      var sent = Array(try server.head(EmbeddedServer.stream, on: 1, fields: fields).readableBytesView)
      for start in stride(from: 0, to: all.count, by: 16_384) {
        sent += Array(server.data(Array(all[start..<min(start + 16_384, all.count)]), on: 1).readableBytesView)
      }
      return sent
    }
  }
}
