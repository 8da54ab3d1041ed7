import PonosContainersTesting
import PonosCore
@testable import PonosExecutor
import PonosTesting
import Testing
@testable import PonosContainers

@Suite("Task runner")
struct TaskRunnerTests {
  typealias Rig = PipelineRig

  /// Notes how long each run may take; the payload `wait` is answered once the gate is open.
  private final class Line: PerformerConnection {
    let gate = TaskGate()
    let timeouts = Collected<Duration>()

    func execute(_ id: TaskID, payload: [UInt8], timeout: Duration) async throws(PerformerCallError) -> PerformerReply {
      timeouts.append(timeout)
      if payload == Array("wait".utf8) { await gate.pass() }
      return .echo(id, payload)
    }

    var probe: any Probe { FakeProbe.serving }
    func close() async {}
  }

  @Test("gives a run what is left of its task's time, whatever becomes of the host's clock", arguments: [-86_400, 86_400])
  func givesRunWhatIsLeftOfItsTasksTime(jump: Int) async throws {
    let clock = TestClock()
    let line = Line()
    try await Rig(clock: clock, timeout: .seconds(60)).run { rig in
      rig.roster.publish(.init(performerID: "p", avs: Rig.avs, capacity: 1, connection: line))
      async let first = rig.unary.submit(try Rig.submission(Rig.draft("wait")))
      try await eventually { line.gate.arrivals == 1 }
      async let second = rig.unary.submit(try Rig.submission())
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      clock.advance(by: .seconds(20))
      clock.setWallClock(by: .seconds(jump))
      line.gate.open()
      let answers = try await [first, second]
      #expect(answers.allSatisfy { $0?.signed != nil })
      #expect(line.timeouts.values == [.seconds(60), .seconds(40)])
    }
  }
}
