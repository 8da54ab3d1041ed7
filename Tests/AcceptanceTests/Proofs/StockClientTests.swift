import Foundation
import PonosAPI
import PonosAggregator
import PonosCore
import PonosExecutorTesting
import PonosPerformerTesting
import PonosTesting
import SwiftProtobuf
import Testing

extension Acceptance {
  /// The client that all public aggregators have.
  @Suite("Proof by stock clients")
  struct StockClientTests {
    /// How many stock clients there are, and their pace.
    private struct Crowd {
      var clients: Int
      var taskTime: Duration
      var habits: InteropClient.StockHabits
      /// More than the open files the daemon is started with.
      var openFileLimit: Int

      /// The public client's own constants where a number of clients is given; else the same habits five times as quick, but for the
      /// time over which they come.
      static var wanted: Crowd {
        guard let clients = ProofSizes.stockClients else {
          return Crowd(
            clients: 2000, taskTime: .seconds(12),
            habits: .init(attempt: .seconds(2), delay: .milliseconds(200), spread: .seconds(10), hold: .seconds(11)),
            openFileLimit: 1024)
        }
        return Crowd(
          clients: clients, taskTime: .seconds(60), habits: .init(spread: .seconds(10), hold: .seconds(21)), openFileLimit: 1024)
      }
    }

    /// Calls a connection to a performer may have open.
    private static let tasksPerAVS = 250

    @Test(
      "stock clients, each with a connection it never closes and a task longer than five of its attempts: one run, one answer")
    func stockClientsEachWithConnectionItNeverCloses() async throws {
      let crowd = Crowd.wanted
      let count = (crowd.clients + Self.tasksPerAVS - 1) / Self.tasksPerAVS
      var configuration = DaemonConfiguration()
      configuration.avs = (0..<count).map { _ in .patient }
      configuration.openFileLimit = crowd.openFileLimit
      try await Daemon.running(configuration) { daemon in
        let submissions = try (0..<crowd.clients).map { number in
          try daemon.submission(
            "delay \(crowd.taskTime.milliseconds) \(number)", avs: configuration.avs[number % count].address)
        }
        let run = try await InteropClient.stock(
          submissions, crowd.habits, port: daemon.place.taskPort, in: daemon.place.directory, within: .seconds(240))
        print("stock clients: \(crowd.clients), \(run.summary.calls) attempts, \(run.summary.seconds) s")
        let failures = run.replies.filter { $0.code != 0 }
        let first = failures.first.map { "\($0.code) \(String(decoding: $0.body, as: UTF8.self))" } ?? ""
        #expect(failures.isEmpty, "\(failures.count) of \(crowd.clients) tasks were not answered, first: \(first)")
        for (number, reply) in run.replies.enumerated() where reply.code == 0 {
          let result = try WireResult(serializedBytes: reply.body)
          #expect(result.taskID == submissions[number].taskID)
          #expect(String(decoding: result.output, as: UTF8.self) == "\(number)")
          if number.isMultiple(of: 20) { try daemon.check(result, for: submissions[number]) }
        }
        #expect(run.summary.calls >= crowd.clients * 5, "the tasks were too short for the clients' patience to matter")
        #expect(run.summary.connectionsBegun == crowd.clients, "a connection was lost and opened again")
        #expect(run.summary.connectionsEnded == 0, "the daemon closed connections of clients that ping it")
        for (index, avs) in configuration.avs.enumerated() {
          let tally = try await daemon.tally(avs: avs.address)
          #expect(tally.repeated.isEmpty)
          #expect(tally.tasks == submissions.indices.count(where: { $0 % count == index }) + 1)
        }
      }
    }
  }
}

extension DaemonConfiguration.AVS {
  /// Room for as many tasks as one connection to a performer may carry.
  fileprivate static var patient: DaemonConfiguration.AVS {
    var avs = scripted()
    avs.concurrency = 250
    return avs
  }
}

extension Duration {
  fileprivate var milliseconds: Int { Int(self / .milliseconds(1)) }
}
