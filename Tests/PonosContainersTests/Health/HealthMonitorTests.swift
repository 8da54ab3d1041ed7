import PonosContainersTesting
import PonosCore
import PonosStoreTesting
import PonosTesting
import Synchronization
import Testing
@testable import PonosContainers

@Suite("Health monitor")
struct HealthMonitorTests {
  static let id = StoreRecords.taskID(1)

  /// Answers tasks when the test lets it, and each probe with what the test set.
  private final class Line: PerformerConnection {
    let gate = TaskGate()
    /// Probes wait here, if there is one.
    let probeGate: TaskGate?
    private let health: Mutex<ProbeResult>
    private let asked = Mutex(0)

    init(_ health: ProbeResult, probeGate: TaskGate? = nil) {
      self.health = Mutex(health)
      self.probeGate = probeGate
    }

    /// Probes so far.
    var probes: Int { asked.withLock(\.self) }

    func say(_ report: ProbeResult) { health.withLock { $0 = report } }

    func execute(_ id: TaskID, payload: [UInt8], timeout: Duration) async throws(PerformerCallError) -> PerformerReply {
      if payload == [1] { await gate.pass() }
      return .echo(id, payload)
    }

    var probe: any Probe {
      FakeProbe { _ in
        self.asked.withLock { $0 += 1 }
        await self.probeGate?.pass()
        return self.health.withLock(\.self)
      }
    }

    func close() async {}
  }

  /// Watches a line until `body` ends; returns what was reported.
  private func watched(
    _ line: Line, _ body: @escaping @Sendable (CountingConnection, Collected<ProbeResult>) async throws -> Void
  ) async throws -> [ProbeResult] {
    let connection = CountingConnection(line)
    let reports = Collected<ProbeResult>()
    let monitor = HealthMonitor(settings: ProbeSettings(interval: .milliseconds(20), timeout: .seconds(1)))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await monitor.watch(connection.probe, activity: { connection.activity }) { reports.append($0) } }
      defer { group.cancelAll() }
      try await body(connection, reports)
    }
    return reports.values
  }

  /// Keeps a task in flight while `body` runs.
  private static func working(
    _ connection: CountingConnection, _ line: Line, _ body: @Sendable () async throws -> Void
  ) async throws {
    async let long = connection.execute(id, payload: [1], timeout: .seconds(30))
    try await eventually { connection.activity.inFlight == 1 }
    try await body()
    line.gate.open()
    _ = try await long
  }

  @Test("does not hold it against a working performer that a probe got no answer, as long as tasks do")
  func doesNotHoldItAgainstWorkingPerformerThatProbeGot() async throws {
    let line = Line(.serving)
    let reports = try await watched(line) { connection, _ in
      try await Self.working(connection, line) {
        line.say(.timedOut("slow"))
        let probes = line.probes
        while line.probes < probes + 20 {
          _ = try await connection.execute(Self.id, payload: [], timeout: .seconds(1))
          try await Task.sleep(for: .milliseconds(1))
        }
        line.say(.serving)
        let after = line.probes
        try await eventually { line.probes > after + 1 }
      }
    }
    #expect(reports.allSatisfy { $0 == .serving })
  }

  @Test("reports a probe without an answer when no task was answered either, and when no task is at work")
  func reportsProbeWithoutAnswerWhenNoTaskWasAnswered() async throws {
    let line = Line(.timedOut("hangs"))
    _ = try await watched(line) { connection, reports in
      try await Self.working(connection, line) {
        let before = reports.values.count
        try await eventually { reports.values.count >= before + 3 }
      }
      let before = reports.values.count
      try await eventually { reports.values.count >= before + 3 }
    }
  }

  @Test(
    "reports what a busy performer says of itself, and a connection that is refused",
    arguments: [ProbeResult.notServing("NOT_SERVING"), .unreachable("refused")])
  func reportsWhatBusyPerformerSaysOfItself(report: ProbeResult) async throws {
    let line = Line(report)
    _ = try await watched(line) { connection, reports in
      try await Self.working(connection, line) {
        let before = reports.values.count
        while reports.values.count < before + 3 {
          _ = try await connection.execute(Self.id, payload: [], timeout: .seconds(1))
          try await Task.sleep(for: .milliseconds(1))
        }
      }
    }
  }

  @Test("keeps an answer to itself that comes when the container has been given up")
  func keepsAnswerToItselfThatComesWhenContainerHasBeen() async throws {
    let gate = TaskGate()
    let reports = try await watched(Line(.unreachable("gone"), probeGate: gate)) { _, _ in
      try await eventually { gate.arrivals == 1 }
    }
    #expect(reports.isEmpty)
  }

  @Test("asks a performer in service no more often than the performer contract does")
  func asksPerformerInServiceNoMoreOftenThanPerformer() {
    #expect(ProbeSettings.standard.interval == .seconds(15))
    #expect(ProbeSettings.standard.timeout == .seconds(1) && ProbeSettings.standard.failureThreshold == 3)
  }

  @Test("counts answers of every kind as answers, and calls that broke off as none")
  func countsAnswersOfEveryKindAsAnswers() async throws {
    let failures: [PerformerCallError?] = [
      nil, .answeredError(code: 3, message: ""), .replyTooLarge, .timedOut, .unreachable(""), .cancelled,
    ]
    let fake = FakePerformer { id, payload, call throws(PerformerCallError) in
      if let failure = failures[call - 1] { throw failure }
      return .echo(id, payload)
    }
    let connection = CountingConnection(fake)
    for _ in failures { do { _ = try await connection.execute(Self.id, payload: [], timeout: .seconds(1)) } catch {} }
    #expect(connection.activity == .init(inFlight: 0, replies: 3))
  }

  @Test("tells of a hang after three runs in a row without an answer, though the health service says that it serves")
  func tellsOfHangAfterSoManyRunsInRowWithoutAnswer() async throws {
    let fake = FakePerformer { id, payload, _ throws(PerformerCallError) in
      if payload == [1] {
        do { try await Task.sleep(for: HangDetector.leastTime) } catch { throw .cancelled }
        throw .timedOut
      }
      return .echo(id, payload)
    }
    let connection = CountingConnection(fake, hangThreshold: 3)
    let told = Collected<Int>()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { for await runs in connection.hangs { told.append(runs) } }
      defer { group.cancelAll() }
      func silentRuns(_ count: Int) async {
        await withDiscardingTaskGroup { runs in
          for _ in 0..<count {
            runs.addTask { do { _ = try await connection.execute(Self.id, payload: [1], timeout: .seconds(1)) } catch {} }
          }
        }
      }
      await silentRuns(2)
      _ = try await connection.execute(Self.id, payload: [], timeout: .seconds(1))
      await silentRuns(2)
      #expect(told.values.isEmpty)
      await silentRuns(1)
      try await eventually { told.values == [3] }
    }
  }
}
