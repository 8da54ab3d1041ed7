import Foundation
import PonosAPI
import PonosAggregator
import PonosCore
import PonosExecutorTesting
import PonosTesting
import SwiftProtobuf
import Testing

extension Acceptance {
  /// Peers on grpc-go and on the C core, with their own habits: PINGs that measure bandwidth at every burst of data, and
  /// keepalive PINGs without calls. A server or client that counts those as abuse cuts the line after some 200 messages.
  @Suite("Other gRPC implementations", .daemon(.interop))
  struct InteropTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test("10,000 tasks from grpc-go to a performer on grpc-go: one connection in, one connection out")
    func tasksBetweenGoPeers() async throws {
      let before = try await performerConnections()
      let submissions = try (0..<10_000).map { try daemon.submission("task \($0)") }
      let run = try await InteropClient.go.submit(
        submissions, count: 10_000, concurrency: 64, idle: 11, port: daemon.place.taskPort, in: daemon.place.directory)
      try expectUncut(run, calls: 10_000)
      for (index, reply) in run.replies.enumerated() where reply.code == 0 {
        let result = try WireResult(serializedBytes: reply.body)
        #expect(result.taskID == submissions[index].taskID)
        #expect(result.output == submissions[index].payload)
        if index.isMultiple(of: 100) { try daemon.check(result, for: submissions[index]) }
      }
      #expect(try await performerConnections() == before)
    }

    @Test("10,000 calls from grpcio on one connection, most of them for tasks already answered")
    func test10000CallsFromGrpcioOnOneConnection() async throws {
      let submissions = try (0..<250).map { try daemon.submission("python \($0)", set: .bn254) }
      let run = try await InteropClient.python.submit(
        submissions, count: 10_000, concurrency: 32, idle: 11, port: daemon.place.taskPort, in: daemon.place.directory)
      try expectUncut(run, calls: 10_000)
      for (index, reply) in run.replies.enumerated() where reply.code == 0 {
        // The same task, the same bytes, however often it is sent.
        #expect(reply.body == run.replies[index % 250].body)
      }
      for (submission, reply) in zip(submissions, run.replies).prefix(20) {
        try daemon.check(try WireResult(serializedBytes: reply.body), for: submission)
      }
    }

    @Test("refusals reach other implementations with code and message", arguments: InteropClient.allCases)
    func refusalsReachOtherImplementationsWithCode(client: InteropClient) async throws {
      var unsigned = try daemon.submission("x")
      unsigned.signature = Data()
      var stranger = try daemon.submission("x", by: .registered(.bn254))
      stranger.aggregatorAddress = "0x" + String(repeating: "99", count: 20)
      let run = try await client.submit(
        [unsigned, stranger], count: 2, concurrency: 1, idle: 0, port: daemon.place.taskPort, in: daemon.place.directory)
      let messages = run.replies.map { String(decoding: $0.body, as: UTF8.self) }
      #expect(run.replies.allSatisfy { ![0, 4, 8, 13, 14].contains($0.code) })
      #expect(messages.first?.contains("signature") == true)
      #expect(messages.last?.contains("aggregator") == true)
    }

    private func expectUncut(_ run: InteropClient.Run, calls: Int) throws {
      let failures = run.replies.filter { $0.code != 0 }
      let first = failures.first.map { "first: \($0.code) \(String(decoding: $0.body, as: UTF8.self))" } ?? ""
      #expect(failures.isEmpty, "\(failures.count) of \(calls) calls failed, \(first)")
      #expect(run.replies.count == calls)
      #expect(run.summary.calls == calls)
      #expect(run.summary.connectionsBegun == 1)
      #expect(run.summary.connectionsEnded == 0)
    }

    /// Connections the performer has accepted so far, counted by itself.
    private func performerConnections() async throws -> Int {
      struct Statistics: Decodable { var connections: Int }
      let text = try await daemon.answer(to: "stats")
      return try JSONDecoder().decode(Statistics.self, from: Data(text.utf8)).connections
    }
  }
}

extension DaemonConfiguration {
  /// A performer on grpc-go, with room for many tasks at a time.
  fileprivate static var interop: DaemonConfiguration {
    var go = AVS(image: PerformerImages.go)
    go.concurrency = 32
    return DaemonConfiguration(go)
  }
}
