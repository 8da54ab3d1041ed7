import Foundation
import PonosAPI
import PonosCore
import PonosDocker
import PonosExecutorTesting
import PonosSystem
import PonosTesting

/// Kills one daemon again and again, each time in the way the schedule says.
struct CrashRun: Sendable {
  let daemon: Daemon
  let recorder: HistoryRecorder

  private var steady: EthereumAddress { daemon.configuration.avs[0].address }
  private var suffering: EthereumAddress { daemon.configuration.avs[1].address }

  /// Starts the daemon, and returns when it is dead.
  func perform(_ kill: Kill) async throws {
    switch kill {
    case .at(let point, let pass):
      try daemon.launch(failpoint: "\(point.rawValue):\(pass)")
      let status = try await provoke(point)
      guard status == -SIGKILL else {
        throw DidNotHappen(
          description: "the daemon ended with status \(status) instead of at \(point.rawValue):\(pass)\n\(daemon.logTail)")
      }
    case .afterLaunch(let delay):
      try daemon.launch()
      try await Task.sleep(for: delay)
      try await daemon.crash()
    case .afterReady(let delay):
      try await daemon.start()
      try await Task.sleep(for: delay)
      try await daemon.crash()
    }
    recorder.record(.killed)
  }

  /// Does what leads to a failpoint, and returns the status with which the daemon ended.
  private func provoke(_ point: Failpoint) async throws -> Int32 {
    switch point.scenario {
    case .ordinary, .deployment: return try await end(at: point)
    case .stop:
      try await becomeReady(point)
      daemon.child?.signal(SIGTERM)
      return try await end(at: point)
    case .removal:
      try await becomeReady(point)
      recorder.record(.performerLost(suffering))
      return try await meanwhile {
        for performer in try await daemon.performers(ofAVS: suffering.description) {
          try await daemon.removePerformer(performer.performerID)
        }
      } until: {
        try await end(at: point)
      }
    case .lostContainer:
      return try await meanwhile {
        while true {
          try await wait(until: "the AVS to be served") { try await daemon.serves(suffering) }
          try await loseContainerInTask()
        }
      } until: {
        try await end(at: point)
      }
    }
  }

  /// Kills the container of the second AVS while it works on a task.
  private func loseContainerInTask() async throws {
    let submission = try daemon.submission("delay 1000 interrupted", avs: suffering)
    let caller = Task { try await daemon.submit(submission) }
    defer { caller.cancel() }
    try await wait(until: "the task to run", within: .seconds(20)) {
      try await daemon.operations.state().recentTasks.contains { $0.id == submission.taskID && $0.phase == "executing" }
    }
    recorder.record(.performerLost(suffering))
    let containers = PerformerContainers(avs: [suffering])
    for container in try await containers.running() { try await containers.kill(container.id) }
    try await Task.sleep(for: .milliseconds(500))
  }

  private func end(at point: Failpoint) async throws -> Int32 {
    guard let child = daemon.child else { throw DidNotHappen(description: "the daemon was not started") }
    return try await wait(for: "the daemon to reach \(point.rawValue)", within: .seconds(45), every: .milliseconds(5)) {
      child.exitStatus
    }
  }

  /// Waits until tasks of both AVSs are taken.
  private func becomeReady(_ point: Failpoint) async throws {
    do { try await daemon.becomeReady(within: .seconds(45)) } catch {
      throw DidNotHappen(description: "before \(point.rawValue): \(error)")
    }
  }

  /// Runs `work`, whose end and errors mean nothing, until `body` returns.
  private func meanwhile<Result: Sendable>(
    _ work: @escaping @Sendable () async throws -> Void, until body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let working = Task { try await work() }
    defer { working.cancel() }
    return try await body()
  }
}
