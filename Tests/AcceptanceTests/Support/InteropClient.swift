import Foundation
import PonosAPI
import PonosAggregator
import PonosExecutorTesting
import PonosTesting
import SwiftProtobuf

/// An aggregator's client on another implementation of gRPC, built by `scripts/build-interop.sh` from `Tests/Interop`.
enum InteropClient: String, CaseIterable, Sendable, CustomStringConvertible {
  /// grpc-go, as aggregators in Go use it.
  case go = "grpc-go"
  /// grpcio: the C core under Python.
  case python = "grpcio"

  /// What came of a run.
  struct Run: Sendable {
    /// One line of JSON that the program prints.
    struct Summary: Decodable, Sendable {
      var calls: Int
      var seconds: Double
      /// 1 when the connection was never cut.
      var connectionsBegun: Int
      var connectionsEnded: Int
    }

    struct Reply: Sendable {
      /// gRPC status code.
      var code: UInt32
      /// A serialized result, or the message of the status.
      var body: Data
    }

    var summary: Summary
    /// One for each call, in order.
    var replies: [Reply]
  }

  var description: String { rawValue }

  /// Makes `count` calls over one connection, sending `submissions` in turn, and returns all replies.
  ///
  /// - Parameter idle: Seconds without calls after the first half.
  func submit(
    _ submissions: [WireSubmission], count: Int, concurrency: Int, idle: Int, port: Int, in directory: URL
  ) async throws -> Run {
    let requests = directory.appending(path: "\(rawValue).requests")
    let replies = directory.appending(path: "\(rawValue).replies")
    try Self.records(of: submissions).write(to: requests)
    let flags = [
      "--address", "127.0.0.1:\(port)", "--requests", requests.path, "--replies", replies.path, "--count", "\(count)",
      "--concurrency", "\(concurrency)", "--idle", self == .go ? "\(idle)s" : "\(idle)",
    ]
    let output = try await Command.run(
      try command() + flags, environment: ["PATH": "/usr/bin:/bin", "PYTHONPATH": Self.built("python/stubs").path],
      within: .seconds(240))
    return Run(
      summary: try JSONDecoder().decode(Run.Summary.self, from: Data(output.utf8)),
      replies: try Self.replies(in: try Data(contentsOf: replies)))
  }

  /// The habits of the public aggregator's client.
  struct StockHabits: Sendable {
    /// Of one attempt; there are up to six.
    var attempt = Duration.seconds(10)
    /// After the first attempt; doubles with each further one.
    var delay = Duration.seconds(1)
    /// Over which tasks are begun.
    var spread = Duration.zero
    /// How long connections stay open after the last answer.
    var hold = Duration.zero
  }

  /// Sends each submission on a connection of grpc-go's of its own, which is pinged every 10 seconds and not closed before the end.
  static func stock(
    _ submissions: [WireSubmission], _ habits: StockHabits, port: Int, in directory: URL, within limit: Duration
  ) async throws -> Run {
    let requests = directory.appending(path: "stock.requests")
    let replies = directory.appending(path: "stock.replies")
    try records(of: submissions).write(to: requests)
    func flag(_ name: String, _ value: Duration) -> [String] { ["--\(name)", "\(value / .milliseconds(1))ms"] }
    let output = try await Command.run(
      try go.command() + ["--stock", "--address", "127.0.0.1:\(port)", "--requests", requests.path, "--replies", replies.path]
        + flag("attempt", habits.attempt) + flag("delay", habits.delay) + flag("spread", habits.spread)
        + flag("hold", habits.hold),
      environment: ["PATH": "/usr/bin:/bin"], within: limit)
    return Run(
      summary: try JSONDecoder().decode(Run.Summary.self, from: Data(output.utf8)),
      replies: try Self.replies(in: try Data(contentsOf: replies)))
  }

  private func command() throws -> [String] {
    let program = self == .go ? Self.built("go/bin/submit") : Self.built("python/bin/python")
    guard FileManager.default.isExecutableFile(atPath: program.path) else {
      throw DidNotHappen(description: "\(program.path) is missing; run `make test`, or scripts/build-interop.sh")
    }
    return self == .go ? [program.path] : [program.path, Self.root.appending(path: "Tests/Interop/python/submit.py").path]
  }

  /// The root of the repository, four levels above this file.
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static func built(_ path: String) -> URL {
    root.appending(path: ".build/interop").appending(path: path)
  }

  /// Length (4 bytes, big-endian) and content of each.
  private static func records(of submissions: [WireSubmission]) throws -> Data {
    var records = Data()
    for submission in submissions {
      let body: Data = try submission.serializedBytes()
      withUnsafeBytes(of: UInt32(body.count).bigEndian) { records.append(contentsOf: $0) }
      records.append(body)
    }
    return records
  }

  private static func replies(in file: Data) throws -> [Run.Reply] {
    var replies: [Run.Reply] = []
    var rest = file[...]
    func number() throws -> UInt32 {
      guard rest.count >= 4 else { throw DidNotHappen(description: "the file of replies is cut short") }
      defer { rest = rest.dropFirst(4) }
      return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
    while !rest.isEmpty {
      let code = try number()
      let count = Int(try number())
      guard rest.count >= count else { throw DidNotHappen(description: "the file of replies is cut short") }
      replies.append(Run.Reply(code: code, body: Data(rest.prefix(count))))
      rest = rest.dropFirst(count)
    }
    return replies
  }
}
