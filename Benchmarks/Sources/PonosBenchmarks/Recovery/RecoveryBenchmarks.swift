import PonosCore
import PonosStore

/// Opening the store and bringing every unfinished task back into the queue, in the process of the benchmark. The floor reads the same
/// rows by SQLite's C interface and forgets them.
enum RecoveryBenchmarks {
  static func measure(rounds: Int, report: (Outcome) -> Void) async throws {
    let workspace = try Workspace()
    let path = workspace.path("executor.sqlite")
    try await KilledDatabase.make(at: path)
    let killed = workspace.path("killed.sqlite")
    let comparison = Comparison(
      group: "recovery", title: "From the open to the last task in the queue, each round on files as a kill leaves them",
      figure: .time,
      contenders: [
        Contender("read of the same rows, SQLite C interface") { _ in
          try KilledDatabase.copy(path, to: killed)
          return try timed { try RawSQLiteRows.read(killed) }
        },
        Contender("SQLiteStore and StateRecovery") { _ in
          try KilledDatabase.copy(path, to: killed)
          return try await recover(killed)
        },
      ])
    report(try await comparison.measure(rounds: rounds, seconds: 0))
  }

  private static func recover(_ path: String) async throws -> Round {
    let start = Clock.now
    let cpu = Clock.processCPU
    let store = try SQLiteStore.open(path: path)
    let queue = try await RecoveryRig.recover(from: store, avs: TaskParties.avs, executor: TaskParties.operatorAddress)
    let round = Round(operations: KilledDatabase.tasks, wall: Clock.now - start, cpu: Clock.processCPU - cpu)
    let depth = queue.depths[TaskParties.avs] ?? 0
    guard depth == KilledDatabase.tasks else {
      throw SystemFailure("recover", reason: "\(depth) of \(KilledDatabase.tasks) tasks are in the queue")
    }
    try await store.close()
    return round
  }

  private static func timed(_ body: () throws -> Int) throws -> Round {
    let start = Clock.now
    let cpu = Clock.processCPU
    let count = try body()
    guard count == KilledDatabase.tasks else {
      throw SystemFailure("read the rows", reason: "\(count) of \(KilledDatabase.tasks) were there")
    }
    return Round(operations: count, wall: Clock.now - start, cpu: Clock.processCPU - cpu)
  }
}
