import PonosAPI
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutor
import PonosExecutorTesting
import PonosStore
import PonosTesting

/// A client that submits over task streams, one after another: in some it acknowledges what it gets, in others nothing, so that outcomes
/// come again in later ones.
struct StreamLoad: Sendable {
  let client: RecordingClient
  let avs: EthereumAddress
  let known: LoadClients.KnownTasks
  let stop: LoadClients.StopSign

  private var daemon: Daemon { client.daemon }
  private static let aggregator = TestAggregator.registered(.ecdsa)

  /// Runs until `stop` is raised and everything in hand is answered.
  func run(seed: UInt64) async throws {
    var dice = SeededGenerator(seed: seed)
    while !stop.isRaised {
      let acknowledges = Int.random(in: 0..<3, using: &dice) > 0
      var tasks: [TaskID: RecordingClient.SubmittedTask] = [:]
      for _ in 0..<Int.random(in: 4...16, using: &dice) {
        let task = try task(maybeKnown: acknowledges, using: &dice)
        tasks[task.id] = task
      }
      try await hold(Array(tasks.values), acknowledges: acknowledges)
    }
  }

  /// - Parameter maybeKnown: Whether one that was submitted before will do: the session must have acknowledged its outcome for that.
  private func task(maybeKnown: Bool, using dice: inout SeededGenerator) throws -> RecordingClient.SubmittedTask {
    if maybeKnown, Int.random(in: 0..<3, using: &dice) == 0, let task = known.any(using: &dice), try isOurs(task) { return task }
    while true {
      let task = try daemon.taskOfLoad(avs: avs, using: &dice)
      guard try isOurs(task) else { continue }
      known.add(task)
      return task
    }
  }

  private func isOurs(_ task: RecordingClient.SubmittedTask) throws -> Bool {
    try task.avs == avs && TaskSubmission(wire: task.wire).aggregator == Self.aggregator.address
  }

  /// Over as many connections as it takes.
  private func hold(_ tasks: [RecordingClient.SubmittedTask], acknowledges: Bool) async throws {
    var settings = StreamSubmitter.Machine.Settings()
    settings.acknowledges = acknowledges
    let submitter = StreamSubmitter(
      identity: .init(
        owner: TaskOwner(aggregator: Self.aggregator.address, avs: avs), executor: DaemonConfiguration.operatorAddress,
        operatorSetID: DaemonConfiguration.set(.ecdsa), key: Self.aggregator.key,
        executorKey: TestKeys.executor(.ecdsa).verificationKey), settings: settings,
      notify: { [recorder = client.recorder] notice in
        if case .receipt(let id) = notice { recorder.record(.receipted(id)) }
      })
    let port = daemon.place.taskPort
    let dialling = Task {
      await submitter.dial(
        host: "127.0.0.1", port: port, policy: ReconnectPolicy(initial: .milliseconds(20), maximum: .milliseconds(200)))
    }
    defer { dialling.cancel() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in tasks { group.addTask { try await submit(task, over: submitter) } }
      try await group.waitForAll()
    }
    await submitter.leave()
  }

  private func submit(_ task: RecordingClient.SubmittedTask, over submitter: StreamSubmitter) async throws {
    let recorder = client.recorder
    recorder.record(.submitted(task.id, avs: task.avs, expecting: task.expectation))
    let submission = try TaskSubmission(wire: task.wire)
    while true {
      switch await ending(of: submission, submitter) {
      case .outcome(.result(let result)):
        let digest = try daemon.digest(of: result, for: task.wire)
        return recorder.record(.answered(task.id, .signed(bytes: Array(result.bytes), digest: digest)))
      case .outcome(.failure(let failure)):
        return recorder.record(.answered(task.id, .failed(code: failure.code, message: failure.message)))
      // Between removal and redeployment an AVS has no performer.
      case .refused(let refusal) where refusal.code == "no_performer": try await Task.sleep(for: .milliseconds(50))
      case .refused(let refusal): return recorder.record(.refused(task.id, code: refusal.code))
      case nil: return
      }
    }
  }

  /// nil when it did not come in time, which breaks the promise.
  private func ending(of task: TaskSubmission, _ submitter: StreamSubmitter) async -> StreamSubmitter.Ending? {
    await withTaskGroup(of: StreamSubmitter.Ending?.self) { group in
      group.addTask { await submitter.submit(task) }
      group.addTask {
        while !Task.isCancelled, !stop.isOver { try? await Task.sleep(for: .milliseconds(50)) }
        return nil
      }
      let ending = await group.next() ?? nil
      group.cancelAll()
      return ending
    }
  }
}
