import Foundation
import PonosCore

/// A start of the daemon after a kill, from its process on. The floor is the same start with nothing in its database but the performer,
/// whose container runs on and is adopted in both.
enum RestartBenchmarks {
  static func measure(rounds: Int, report: (Outcome) -> Void) async throws {
    let workspace = try Workspace()
    let parties = try TaskParties()
    defer {
      do {
        try DaemonUnderTest.removeContainers()
      } catch {
        print(error)
      }
    }
    let (without, with) = (workspace.path("without.sqlite"), workspace.path("with.sqlite"))
    try await leavePerformer(in: without, parties, workspace)
    try await KilledDatabase.make(at: with, from: without)
    for milestone in Milestone.allCases {
      func contender(_ name: String, _ files: String, tasks: Int) -> Contender {
        Contender(name) { _ in
          try await start(on: files, tasks: tasks, until: milestone, parties, workspace)
        }
      }
      let comparison = Comparison(
        group: "recovery", title: milestone.rawValue, figure: .time,
        contenders: [
          contender("the daemon with no task", without, tasks: 0),
          contender("the daemon with \(KilledDatabase.tasks) tasks", with, tasks: KilledDatabase.tasks),
        ])
      report(try await comparison.measure(rounds: rounds, seconds: 0))
    }
  }

  /// Where a measurement ends that begins with the daemon's process.
  private enum Milestone: String, CaseIterable {
    case port = "From the start of the process to its port"
    /// The performer runs the old tasks meanwhile; the new one goes before those that wait.
    case answer = "From the start of the process to the answer to a new task"
  }

  /// Leaves at `path` what a killed daemon leaves that had a performer and no task.
  private static func leavePerformer(in path: String, _ parties: TaskParties, _ workspace: Workspace) async throws {
    let daemon = try DaemonUnderTest(store: .sqlite, image: TaskBenchmarks.image, parties: parties, workspace: workspace)
    defer { daemon.process.crash() }
    let target = try SubmissionTarget(port: daemon.port)
    try await TaskBenchmarks.withConnections([target.client]) {
      try await target.waitUntilServing(SubmissionStock(parties: parties, curve: .ecdsa), daemon.process)
    }
    daemon.process.crash()
    try KilledDatabase.copy(DaemonUnderTest.Store.sqlite.path(in: workspace), to: path)
  }

  private static func start(
    on files: String, tasks: Int, until milestone: Milestone, _ parties: TaskParties, _ workspace: Workspace
  ) async throws -> Round {
    try KilledDatabase.copy(files, to: DaemonUnderTest.Store.sqlite.path(in: workspace))
    let stock = SubmissionStock(parties: parties, curve: .ecdsa)
    try stock.refill()
    let daemon = try DaemonUnderTest(store: .sqlite, image: TaskBenchmarks.image, parties: parties, workspace: workspace)
    defer { daemon.process.crash() }
    try await daemon.waitUntilListening()
    var round = try daemon.round()
    if milestone == .answer {
      let target = try SubmissionTarget(port: daemon.port)
      try await TaskBenchmarks.withConnections([target.client]) {
        try await target.waitUntilServing(stock, daemon.process, every: .milliseconds(5), urgency: TaskUrgency(priority: 1))
        round = try daemon.round()
      }
    }
    guard tasks == 0 || daemon.process.written.contains(#""unfinished":"\#(tasks)""#) else {
      throw SystemFailure("start with \(tasks) tasks", reason: daemon.process.tail())
    }
    return round
  }
}
