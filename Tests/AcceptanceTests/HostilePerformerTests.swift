import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosExecutorTesting
import PonosTesting
import Testing

extension Acceptance {
  /// One daemon, one well-behaved AVS, and around it every kind of performer that harms itself or others.
  @Suite("Hostile performers", .daemon(.besieged))
  struct HostilePerformerTests {
    /// Of every hostile AVS.
    fileprivate static let taskTimeout = Duration.seconds(3)
    /// What a busy machine may add to it.
    private static let grace = Duration.seconds(6)

    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    /// How a task ended: its output, or the code it failed or was refused with.
    private enum End: Hashable {
      case answered(String)
      case code(String)
    }

    /// Ends of tasks that were not taken in, because their performer is not there or is left alone for a while.
    private static let turnsAway: Set<End> = [.code("performer_unavailable"), .code("circuit_open")]

    private func avs(_ cast: Cast) -> EthereumAddress { daemon.configuration.avs[cast.index].address }

    /// Submits a task and records an issue unless it ends in time.
    private func end(of payload: String, at cast: Cast) async throws -> End {
      let submission = try daemon.submission(payload, avs: avs(cast))
      let start = ContinuousClock.now
      let end = try await end(of: submission)
      let time = ContinuousClock.now - start
      #expect(time < Self.taskTimeout + Self.grace, "'\(payload)' at \(cast) took \(time)")
      // A task that was taken in ends once: whoever asks again hears the same.
      if !Self.turnsAway.contains(end) { #expect(try await self.end(of: submission) == end, "'\(payload)' at \(cast)") }
      return end
    }

    private func end(of submission: WireSubmission) async throws -> End {
      do {
        let result = try await daemon.submit(submission)
        try daemon.check(result, for: submission)
        return .answered(String(decoding: result.output.prefix(100), as: UTF8.self))
      } catch let error as RPCError { return .code(try #require(error.ponosCode, "\(error)")) }
    }

    private func ends(of payloads: [String], at cast: Cast) async throws -> [End] {
      try await withThrowingTaskGroup(of: End.self) { group in
        for payload in payloads { group.addTask { try await end(of: payload, at: cast) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }

    @Test(
      "every task ends once, in time and with a code that says why; the neighbour is served as quickly as before; memory stays bounded"
    )
    func everyTaskEndsOnce() async throws {
      for cast in Cast.allCases where cast.comesUp {
        try await wait(until: "\(cast) to be served", within: .seconds(60)) { try await daemon.serves(avs(cast)) }
      }
      let memory = try memoryInMiB("VmRSS")
      let before = try await serveNeighbour(tasks: 60)
      let neighbour = Task { try await serveNeighbour() }
      let flood = Task { try await submitWithoutEnd(at: .overrun) }
      do {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await hanging() }
          group.addTask { try await flooding() }
          group.addTask { try await onTheWire() }
          group.addTask { try await crashing() }
          group.addTask { try await flapping() }
          group.addTask { try await overHTTP() }
          group.addTask { try await neverServing() }
          try await group.waitForAll()
        }
      } catch {
        neighbour.cancel()
        flood.cancel()
        throw error
      }
      neighbour.cancel()
      flood.cancel()
      let during = try await neighbour.value
      #expect(try await flood.value > 100, "the flood was none")
      let (quietly, besieged) = (Self.percentile99(of: before), Self.percentile99(of: during))
      print("the neighbour's 99th percentile: \(quietly) before, \(besieged) during the siege (\(during.count) tasks)")
      #expect(besieged < quietly * 1.5, "\(quietly) before, \(besieged) during the siege")
      #expect(try memoryInMiB("VmHWM") < memory + 256)
      #expect(daemon.child?.isRunning == true)
    }

    /// Tasks for the well-behaved AVS, four at a time, so many or until cancelled; returns how long each took. Any failure is an issue.
    private func serveNeighbour(tasks: Int = .max) async throws -> [Duration] {
      try await withThrowingTaskGroup(of: [Duration].self) { group in
        for caller in 0..<4 {
          group.addTask { [daemon] in
            var times: [Duration] = []
            while !Task.isCancelled, times.count < tasks / 4 {
              let text = "\(caller) \(times.count)"
              let start = ContinuousClock.now
              // Not cancelled with us: what has begun is to be answered. Long enough that the noise of a busy machine is small beside it.
              let answer = try await Task { try await daemon.answer(to: "delay 800 \(text)", avs: daemon.avs) }.value
              times.append(ContinuousClock.now - start)
              #expect(answer == text)
            }
            return times
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
    }

    /// The median, over five parts, of what 99 of 100 tasks take no longer than: one hiccup of the machine is not the rule.
    private static func percentile99(of times: [Duration]) -> Duration {
      let parts = (0..<5).map { part in times.indices.filter { $0 % 5 == part }.map { times[$0] }.sorted() }
      let percentiles = parts.compactMap { part in part.isEmpty ? nil : part[(part.count * 99 - 1) / 100] }.sorted()
      return percentiles.isEmpty ? .zero : percentiles[percentiles.count / 2]
    }

    /// Valid tasks, more than the AVS's performer and its share of the queue can take, until cancelled; returns how many were sent.
    private func submitWithoutEnd(at cast: Cast) async throws -> Int {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<48 {
          group.addTask {
            var count = 0
            while !Task.isCancelled {
              // Not cancelled with us: what has begun is to end.
              let end = try await Task { try await self.end(of: try daemon.submission("delay 300 x", avs: avs(cast))) }.value
              #expect(end == .answered("x") || end == .code("queue_full"), "\(end)")
              count += 1
              if end != .answered("x") { try? await Task.sleep(for: .milliseconds(500)) }
            }
            return count
          }
        }
        return try await group.reduce(0, +)
      }
    }

    private func overHTTP() async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (payload, code) in Self.httpTricks {
          group.addTask {
            let end = try await end(of: payload, at: .overHTTP)
            #expect(end == .code(code), "'\(payload)' ended with \(end)")
          }
        }
        try await group.waitForAll()
      }
      for payload in ["garbage", "headers"] {
        // It is left alone for a while after the first.
        try await wait(until: "the AVS to be served again") {
          try await end(of: "still there", at: .overHTTP) == .answered("still there")
        }
        #expect(try await end(of: payload, at: .overHTTP) == .code("performer_unreachable"), "'\(payload)'")
      }
    }

    /// Payloads for a ``HostileHTTPPerformer``, and the codes they end with.
    private static let httpTricks = [
      ("giant", "output_too_large"), ("swarm", "output_too_large"), ("drip", "task_timed_out"), ("no-length", "performer_error"),
    ]

    private func hanging() async throws {
      let ends = try await ends(of: ["hang", "hang", "hang"], at: .hanging)
      #expect(ends == Array(repeating: .code("task_timed_out"), count: 3))
      try await wait(until: "the performer that hangs to be replaced") {
        guard try await restarts(of: .hanging) > 0 else { return false }
        return try await daemon.serves(avs(.hanging))
      }
      #expect(try await daemon.operations.metric("ponos_performer_hangs_total", labels: ["avs=\"\(avs(.hanging))\""]) == 1)
      #expect(try await end(of: "echo well again", at: .hanging) == .answered("well again"))
    }

    private func flooding() async throws {
      for _ in 0..<3 { #expect(try await end(of: "flood 20000000", at: .flooding) == .answered("flooded")) }
      for payload in ["wrong-id", "empty-id"] { #expect(try await end(of: payload, at: .flooding) == .code("wrong_task_id")) }
    }

    private func onTheWire() async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (payload, codes) in Self.wireTricks {
          group.addTask {
            let end = try await end(of: payload, at: .onTheWire)
            #expect(codes.contains { end == .code($0) }, "'\(payload)' ended with \(end)")
          }
        }
        try await group.waitForAll()
      }
      // Alone: it breaks the connection, and whatever else is on it.
      #expect(try await end(of: "garbage", at: .onTheWire) == .code("performer_unreachable"))
      // It is kept from tasks for a while, maybe, but not for good.
      try await wait(until: "the AVS to be served again") {
        try await end(of: "still there", at: .onTheWire) == .answered("still there")
      }
    }

    /// Payloads for a ``HostilePerformer``, and the codes they may end with.
    private static let wireTricks = [
      ("giant", ["output_too_large"]), ("swarm", ["output_too_large", "performer_error"]), ("drip", ["task_timed_out"]),
      ("unfinished", ["task_timed_out"]), ("no-status", ["performer_error"]), ("scrambled", ["performer_error"]),
    ]

    private func crashing() async throws {
      let end = try await end(of: "exit 3", at: .crashing)
      #expect([.code("performer_crashed"), .code("performer_unreachable")].contains(end), "\(end)")
    }

    private func flapping() async throws {
      let expected: Set<End> = [
        .answered("x"), .code("performer_unreachable"), .code("performer_crashed"), .code("performer_unavailable"),
        .code("circuit_open"), .code("task_expired"),
        // A container that goes with its network does not always close its connections.
        .code("task_timed_out"),
      ]
      for _ in 0..<6 {
        let end = try await end(of: "delay 400 x", at: .flapping)
        #expect(expected.contains(end), "\(end)")
        // A client that is told to come again does, after a pause.
        if Self.turnsAway.contains(end) { try await Task.sleep(for: .milliseconds(500)) }
      }
      // It ends by itself; a busy engine takes its time to start it, and so the tasks may be over before.
      try await wait(until: "the performer that flaps to be restarted", within: .seconds(60)) {
        try await restarts(of: .flapping) > 0
      }
    }

    private func neverServing() async throws {
      for cast in [Cast.exiting, .neverReady] {
        #expect(try await end(of: "echo x", at: cast) == .code("performer_unavailable"))
      }
    }

    private func restarts(of cast: Cast) async throws -> Int {
      try await daemon.operations.state().performers.filter { $0.avs == avs(cast).description }.map(\.restarts).reduce(0, +)
    }

    /// A figure of the daemon's `/proc/…/status`.
    private func memoryInMiB(_ field: String) throws -> Int {
      let id = try #require(daemon.child?.id)
      let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(field + ":") })
      return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }) / 1024
    }
  }

  /// Who is there, in the order of the configuration; the well-behaved AVS comes first.
  fileprivate enum Cast: CaseIterable {
    case neighbour, hanging, flooding, onTheWire, overHTTP, overrun, crashing, flapping, exiting, neverReady

    var index: Int { Cast.allCases.firstIndex(of: self) ?? 0 }

    /// Whether it serves for as long as nobody harms it.
    var comesUp: Bool {
      switch self {
      case .neighbour, .hanging, .flooding, .onTheWire, .overHTTP, .overrun, .crashing: true
      case .flapping, .exiting, .neverReady: false
      }
    }

    /// Variables of its container.
    var environment: [String: String] {
      switch self {
      case .neighbour, .hanging, .flooding, .overrun, .crashing: [:]
      case .onTheWire: ["SCRIPT_WIRE": "1"]
      case .overHTTP: ["SCRIPT_WIRE": "http"]
      case .flapping: ["SCRIPT_LIFETIME_MS": "1500"]
      case .exiting: ["SCRIPT_LIFETIME_MS": "0"]
      case .neverReady: ["SCRIPT_HEALTH": "not-serving"]
      }
    }
  }
}

extension DaemonConfiguration {
  fileprivate static var besieged: DaemonConfiguration {
    var configuration = DaemonConfiguration()
    configuration.avs = Acceptance.Cast.allCases.map { cast in
      var avs = AVS.scripted()
      avs.environment = cast.environment
      if cast == .overHTTP { avs.settings["protocol"] = "http" }
      if cast == .overrun { avs.concurrency = 8 }
      // Some of the tasks of an AVS that is overrun wait for long.
      if cast != .neighbour, cast != .overrun {
        avs.taskTimeout = "\(Acceptance.HostilePerformerTests.taskTimeout.components.seconds)s"
      }
      return avs
    }
    // Full before the flood ends.
    configuration.maxPerAVS = 32
    // Some of them never serve.
    configuration.isNeverReady = true
    return configuration
  }
}
