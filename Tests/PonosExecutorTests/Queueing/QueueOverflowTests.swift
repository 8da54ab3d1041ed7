import PonosContainersTesting
import PonosCore
import PonosStore
import PonosTelemetry
import PonosTesting
import Testing

@testable import PonosConfiguration
@testable import PonosExecutor

@Suite("A full queue")
struct QueueOverflowTests {
  typealias Rig = PipelineRig

  private func submission(_ payload: String, priority: Int32) throws -> TaskSubmission {
    var submission = try Rig.submission(Rig.draft(payload))
    submission.urgency = TaskUrgency(priority: priority)
    return submission
  }

  @Test("a task that makes room for a better one is answered, written down and counted as failed; retries get the same")
  func displaced() async throws {
    let gate = TaskGate()
    let limits = QueueConfig(maxPerAVS: 1, maxTotal: 10, overflow: .dropLowestPriority)
    try await Rig(limits: limits).run { rig in
      rig.publish(.behind(gate), capacity: 1)
      async let running = rig.unary.submit(try submission("running", priority: 0))
      try await eventually { gate.arrivals == 1 }
      let low = try submission("low", priority: 0)
      async let displaced = rig.unary.submit(low)
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      let equal = try submission("equal", priority: 0)
      #expect(await rig.unary.submit(equal)?.refusal == .queueFull(avs: Rig.avs, .tasksOfAVS))
      async let high = rig.unary.submit(try submission("high", priority: 1))
      let failure = try #require(await displaced?.failure)
      #expect(failure.code == "task_displaced")
      let record = try #require(try await rig.store.task(low.id))
      #expect(record.phase == .failed && record.failure == failure)
      #expect(await rig.unary.submit(low)?.failure == failure)
      gate.open()
      #expect(try await running?.signed != nil)
      #expect(try await high?.signed != nil)
      let text = rig.registry.text()
      for line in [
        "ponos_queue_overflow_total{avs=\"\(Rig.avs)\",policy=\"dropLowestPriority\",reason=\"avs_tasks\"} 1",
        "ponos_queue_overflow_total{avs=\"\(Rig.avs)\",policy=\"rejectNewest\",reason=\"avs_tasks\"} 1",
        "ponos_tasks_failed_total{avs=\"\(Rig.avs)\",code=\"task_displaced\"} 1",
      ] { #expect(text.contains(line), "\(line)") }
    }
  }

  @Test("AVSs that fill the queue shut no other one out")
  func shares() throws {
    let all = [Rig.avs, Rig.otherAVS]
    let queue = TaskQueue(
      limits: QueueConfig(maxPerAVS: 10, maxTotal: 10), weights: Dictionary(uniqueKeysWithValues: all.map { ($0, 1) }))
    func reserve(_ avs: EthereumAddress) -> Rejection? {
      queue.reserve(avs: avs, byteCount: 1, priority: 0, deadline: .max)
    }
    for _ in 0..<10 { #expect(reserve(Rig.avs) == nil) }
    #expect(queue.freePlaces(avs: Rig.otherAVS) == 5)
    for _ in 0..<5 { #expect(reserve(Rig.otherAVS) == nil) }
    #expect(reserve(Rig.otherAVS) == .queueFull(avs: Rig.otherAVS, .tasks))
  }
}
