import PonosCore
import PonosExecutorTesting
import PonosTesting
import Synchronization

/// Clients that keep two AVSs busy: new tasks, tasks that fail, and tasks sent again that run or are long answered.
struct LoadClients: Sendable {
  /// Clients of each AVS: one floods, the other does not.
  static let crowd = 8
  static let few = 3

  private let client: RecordingClient
  private let avs: EthereumAddress
  private let known: KnownTasks
  private let stop: StopSign

  /// Says when the clients may stop.
  final class StopSign: Sendable {
    private let until = Mutex<ContinuousClock.Instant?>(nil)

    /// No new tasks from now on; those in hand have `limit` to be answered.
    func raise(limit: Duration) { until.withLock { $0 = .now + limit } }
    var isRaised: Bool { until.withLock { $0 != nil } }
    var isOver: Bool { until.withLock { $0.map { $0 < .now } ?? false } }
  }

  /// Every task submitted so far, by whomever.
  final class KnownTasks: Sendable {
    private let tasks = Mutex<[RecordingClient.SubmittedTask]>([])

    func add(_ task: RecordingClient.SubmittedTask) { tasks.withLock { $0.append(task) } }

    func any(using dice: inout SeededGenerator) -> RecordingClient.SubmittedTask? {
      let count = tasks.withLock { $0.count }
      guard count > 0 else { return nil }
      // Half of them recent, so that runs are joined as well as answers replayed.
      let first = Bool.random(using: &dice) ? 0 : max(0, count - 12)
      let index = Int.random(in: first..<count, using: &dice)
      return tasks.withLock { $0[index] }
    }
  }

  /// Runs the clients of both AVSs until `stop` is raised and everything in hand is answered.
  static func run(_ daemon: Daemon, _ recorder: HistoryRecorder, seed: UInt64, stop: StopSign) async throws {
    let known = KnownTasks()
    let client = RecordingClient(
      daemon: daemon, recorder: recorder, call: { try await daemon.submit($0, options: $1) }, mayGoOn: { !stop.isOver })
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<(crowd + few) {
        let avs = daemon.configuration.avs[number < crowd ? 0 : 1].address
        let load = LoadClients(client: client, avs: avs, known: known, stop: stop)
        group.addTask { try await load.run(seed: seed &* 1000 &+ UInt64(number)) }
      }
      let streams = StreamLoad(client: client, avs: daemon.configuration.avs[0].address, known: known, stop: stop)
      group.addTask { try await streams.run(seed: seed &* 1000 &+ 999) }
      try await group.waitForAll()
    }
  }

  private func run(seed: UInt64) async throws {
    var dice = SeededGenerator(seed: seed)
    while !stop.isRaised {
      if Int.random(in: 0..<4, using: &dice) == 0, let again = known.any(using: &dice) {
        try await client.submit(again, checksSignatures: false, using: &dice)
      } else {
        let task = try newTask(using: &dice)
        known.add(task)
        try await client.submit(task, checksSignatures: true, using: &dice)
      }
    }
  }

  private func newTask(using dice: inout SeededGenerator) throws -> RecordingClient.SubmittedTask {
    try client.daemon.taskOfLoad(avs: avs, using: &dice)
  }
}
