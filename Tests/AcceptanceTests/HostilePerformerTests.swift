import Foundation
import GRPCCore
import PonosAPI
import PonosCore
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

    private func avs(_ cast: Cast) -> EthereumAddress { daemon.configuration.avs[cast.index].address }

    /// Submits a task and records an issue unless it ends in time.
    private func end(of payload: String, at cast: Cast) async throws -> End {
      let submission = try daemon.submission(payload, avs: avs(cast))
      let start = ContinuousClock.now
      let end = try await end(of: submission)
      let time = ContinuousClock.now - start
      #expect(time < Self.taskTimeout + Self.grace, "'\(payload)' at \(cast) took \(time)")
      // A task that was taken in ends once: whoever asks again hears the same.
      if end != .code("performer_unavailable") { #expect(try await self.end(of: submission) == end, "'\(payload)' at \(cast)") }
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
      "every task ends once, in time and with a code that says why; the neighbour is served all the while; memory stays bounded")
    func siege() async throws {
      for cast in Cast.allCases where cast.comesUp {
        try await wait(until: "\(cast) to be served", within: .seconds(60)) { try await daemon.serves(avs(cast)) }
      }
      let memory = try memoryInMiB("VmRSS")
      let neighbour = Task { try await serveNeighbour() }
      do {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await hanging() }
          group.addTask { try await flooding() }
          group.addTask { try await onTheWire() }
          group.addTask { try await crashing() }
          group.addTask { try await flapping() }
          group.addTask { try await neverServing() }
          try await group.waitForAll()
        }
      } catch {
        neighbour.cancel()
        throw error
      }
      neighbour.cancel()
      let served = try await neighbour.value
      #expect(served > 20)
      #expect(try memoryInMiB("VmHWM") < memory + 256)
      #expect(daemon.child?.isRunning == true)
    }

    /// Tasks for the well-behaved AVS, one after another until cancelled; returns how many were answered. Any failure is an issue.
    private func serveNeighbour() async throws -> Int {
      var served = 0
      while !Task.isCancelled {
        // Not cancelled with us: what has begun is to be answered.
        let answer = try await Task { [daemon, served] in try await daemon.answer(to: "echo \(served)", avs: daemon.avs) }.value
        #expect(answer == "\(served)")
        served += 1
        try? await Task.sleep(for: .milliseconds(20))
      }
      return served
    }

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
        .code("task_expired"),
      ]
      for _ in 0..<6 {
        let end = try await end(of: "delay 400 x", at: .flapping)
        #expect(expected.contains(end), "\(end)")
        // A client that is told to come again does, after a pause.
        if end == .code("performer_unavailable") { try await Task.sleep(for: .milliseconds(500)) }
      }
      #expect(try await restarts(of: .flapping) > 0)
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
    case neighbour, hanging, flooding, onTheWire, crashing, flapping, exiting, neverReady

    var index: Int { Cast.allCases.firstIndex(of: self) ?? 0 }

    /// Whether it serves for as long as nobody harms it.
    var comesUp: Bool {
      switch self {
      case .neighbour, .hanging, .flooding, .onTheWire, .crashing: true
      case .flapping, .exiting, .neverReady: false
      }
    }

    /// Variables of its container.
    var environment: [String: String] {
      switch self {
      case .neighbour, .hanging, .flooding, .crashing: [:]
      case .onTheWire: ["SCRIPT_WIRE": "1"]
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
      if cast != .neighbour { avs.taskTimeout = "\(Acceptance.HostilePerformerTests.taskTimeout.components.seconds)s" }
      return avs
    }
    // Some of them never serve.
    configuration.isNeverReady = true
    return configuration
  }
}
