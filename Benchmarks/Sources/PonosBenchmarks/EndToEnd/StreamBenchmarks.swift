import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosCrypto

/// Whole tasks over a task stream, beside the same tasks as a call each: same daemon, same performer image, same client machine.
///
/// A task on a stream costs four messages and, beside what every task writes, a row in the outbox and its deletion; a call costs its
/// HTTP/2 stream and headers.
enum StreamBenchmarks {
  /// Tasks that are out at a time.
  private static let depths = [64, 1024]

  static func measure(rounds: Int, seconds: Double, report: (Outcome) -> Void) async throws {
    let workspace = try Workspace()
    let parties = try TaskParties()
    let daemon = try DaemonUnderTest(store: .sqlite, image: TaskBenchmarks.image, parties: parties, workspace: workspace)
    defer {
      daemon.process.stop()
      do {
        try DaemonUnderTest.removeContainers()
      } catch {
        print(error)
      }
    }
    let stock = SubmissionStock(parties: parties, curve: .ecdsa)
    let target = try SubmissionTarget(port: daemon.port)
    try await TaskBenchmarks.withConnections([target.client]) {
      try await target.waitUntilServing(stock, daemon.process)
      let submitter = submitter(parties)
      let port = daemon.port
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = await submitter.dial(host: "127.0.0.1", port: port) }
        for depth in depths {
          let comparison = Comparison(
            group: "streaming", title: "\(depth) tasks at a time", figure: .time,
            contenders: [
              contender("a call per task", depth, daemon, stock) { _ = try await target.executor.submitTask($0) },
              contender("one task stream", depth, daemon, stock) { try await submit($0, on: submitter) },
            ])
          report(try await comparison.measure(rounds: rounds, seconds: seconds))
        }
        await submitter.leave()
        group.cancelAll()
      }
    }
  }

  private static func submitter(_ parties: TaskParties) -> StreamSubmitter {
    StreamSubmitter(
      identity: .init(
        owner: TaskOwner(aggregator: TaskParties.aggregatorAddress, avs: TaskParties.avs),
        executor: TaskParties.operatorAddress, operatorSetID: TaskParties.operatorSetID(.ecdsa),
        key: .ecdsa(parties.aggregatorKey), executorKey: .ecdsa(parties.ecdsaKey.address)))
  }

  private static func submit(
    _ submission: Eigenlayer_Hourglass_V1_TaskSubmission, on submitter: StreamSubmitter
  ) async throws {
    let ending = await submitter.submit(try TaskSubmission(wire: submission))
    guard case .outcome(.result) = ending else {
      throw SystemFailure("have a task answered on the stream", reason: "\(String(describing: ending))")
    }
  }

  /// Its processor time is that of the daemon alone.
  private static func contender(
    _ name: String, _ depth: Int, _ daemon: DaemonUnderTest, _ stock: SubmissionStock,
    _ submit: @escaping @Sendable (Eigenlayer_Hourglass_V1_TaskSubmission) async throws -> Void
  ) -> Contender {
    let calling = Contender.calling(name, callers: depth, cpu: daemon.process.cpu) { _ in try await submit(try stock.next()) }
    return Contender(name) { seconds in
      try stock.refill()
      return try await calling.run(seconds)
    }
  }
}
