import Foundation
import GRPCCore
import PonosAPI
import PonosCore
import PonosExecutorTesting
import PonosPerformerTesting
import PonosTesting
import Synchronization
import Testing

extension Acceptance {
  /// An aggregator, or several, that send everything twice.
  @Suite("Proof by duplicates")
  struct DuplicateStormTests {
    private static let connections = 4
    private static let callsPerConnection = 12
    private static let capacity = 32

    /// Submissions, each task twice: a quarter of the pairs close together, the others anywhere.
    private static func order(_ count: Int, using dice: inout SeededGenerator) -> [Int] {
      let distinct = count / 2
      let (near, far) = (distinct / 4, distinct - distinct / 4)
      let scattered = (Array(0..<far) + Array(0..<far)).shuffled(using: &dice)
      let places = (0..<near).map { _ in Int.random(in: 0..<scattered.count, using: &dice) }.sorted()
      var order: [Int] = []
      var pair = 0
      for (index, number) in scattered.enumerated() {
        order.append(number)
        while pair < near, places[pair] == index {
          order += [far + pair, far + pair]
          pair += 1
        }
      }
      return order
    }

    @Test("a storm of submissions, every one of them twice, over a kill and a restart: each task is run once")
    func stormOfSubmissions() async throws {
      let seed = ProofSizes.seed
      print("duplicate storm: seed \(seed), \(ProofSizes.storm) submissions")
      var dice = SeededGenerator(seed: seed)
      let order = Self.order(ProofSizes.storm, using: &dice)
      var avs = DaemonConfiguration.AVS.scripted()
      avs.concurrency = Self.capacity
      try await Daemon.running(DaemonConfiguration(avs)) { daemon in
        let recorder = HistoryRecorder()
        let start = ContinuousClock.now
        try await storm(order, daemon, recorder, seed: seed)
        let time = ContinuousClock.now - start
        let tally = try await daemon.tally(avs: daemon.avs)
        recorder.record(.tally(daemon.avs, tally))
        #expect(try await daemon.stop() == 0)
        recorder.record(.ledger(try daemon.ledger()))

        let verdict = HistoryChecker(patience: .max).check(recorder.history)
        let distinct = Set(order).count
        print(
          """
          duplicate storm: \(verdict.answers) answers to \(verdict.tasks) tasks, \(tally.runs - 1) runs, one kill, one restart, \
          \(time)
          """)
        for violation in verdict.violations.prefix(20) { Issue.record("\(violation)") }
        #expect(verdict.tasks == distinct && verdict.answers == order.count)
        // The question for the tally is a task, too.
        #expect(tally.tasks == distinct + 1)
        #expect(tally.runs - 1 - distinct <= Self.capacity, "more runs than the one kill can have lost")
      }
    }

    private func storm(_ order: [Int], _ daemon: Daemon, _ recorder: HistoryRecorder, seed: UInt64) async throws {
      let next = Counter()
      let limit = ContinuousClock.now + .seconds(120 + order.count / 20)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for connection in 0..<Self.connections {
          group.addTask {
            try await daemon.withClient(port: daemon.place.taskPort) { client in
              let recording = RecordingClient(
                daemon: daemon, recorder: recorder,
                call: { submission, options in
                  let stub = Eigenlayer_Hourglass_V1_ExecutorService.Client(wrapping: client)
                  return try await stub.submitTask(submission, options: options)
                }, mayGoOn: { ContinuousClock.now < limit })
              try await withThrowingTaskGroup(of: Void.self) { callers in
                for caller in 0..<Self.callsPerConnection {
                  callers.addTask {
                    var dice = SeededGenerator(seed: seed &* 1000 &+ UInt64(connection * 100 + caller))
                    while true {
                      let index = next.take()
                      guard index < order.count else { return }
                      // The same dice for the same number: the same task, to the byte.
                      var content = SeededGenerator(seed: seed ^ UInt64(order[index]) &* 0x9e37)
                      let task = try daemon.task("dice 1", avs: daemon.avs, using: &content)
                      try await recording.submit(task, checksSignatures: index.isMultiple(of: 50), using: &dice)
                    }
                  }
                }
                try await callers.waitForAll()
              }
            }
          }
        }
        try await wait(until: "a third of the storm", within: .seconds(1800)) { next.value > order.count / 3 }
        try await daemon.crash()
        recorder.record(.killed)
        try await daemon.start()
        try await wait(until: "two thirds of the storm", within: .seconds(1800)) {
          next.value > order.count * 2 / 3
        }
        #expect(try await daemon.stop() == 0)
        try await daemon.start()
        try await group.waitForAll()
      }
    }

    /// Hands out numbers from 0.
    private final class Counter: Sendable {
      private let next = Mutex(0)

      var value: Int { next.withLock { $0 } }

      func take() -> Int {
        next.withLock { next in
          defer { next += 1 }
          return next
        }
      }
    }
  }
}
