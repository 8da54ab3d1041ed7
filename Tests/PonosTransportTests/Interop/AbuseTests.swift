import Foundation
import GRPCCore
import Testing

@testable import PonosTransport

/// A raw HTTP/2 peer that breaks every rule; needs the Python environment of `scripts/build-interop.sh`.
@Suite("Abuse", .serialized, .enabled(if: InteropProgram.available.contains(.grpcio)))
struct AbuseTests {
  static var settings: ServerTransportSettings {
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    settings.handshakeTimeout = .seconds(2)
    // All of them come from one host; the suite "Connections of strangers" limits that.
    var limits = ResourceQuota.Limits()
    (limits.maxConnections, limits.maxConnectionsPerHost) = (20_000, 20_000)
    settings.quota = ResourceQuota(limits)
    return settings
  }

  @Test(
    "the attacker's connection ends, and honest calls on another go on",
    arguments: [
      "ping_flood", "settings_flood", "priority_flood", "rapid_reset", "continuation_flood", "empty_data_flood", "header_bomb",
      "wrong_preface", "half_a_preface", "oversized_frame", "data_on_idle_stream", "window_overflow",
      "flow_control_violation", "too_many_streams", "empty_headers_flood", "provoked_resets", "unknown_frames",
      "window_updates",
    ])
  func attackersConnectionEnds(name: String) async throws {
    try await HonestClient.whileServing(Self.settings) { client, port, service in
      let attacker = try #require(InteropProgram.python("abuse", [String(port), name]))
      async let verdict = attacker.output()
      try await client.calls(50)
      let (code, text) = try await verdict
      // Under a sanitizer, the server reads fewer resets in a second than it would object to.
      if !(isSanitized && name == "rapid_reset") { #expect(code == 0, "\(text)") }
      try await client.expectRecovery()
      // A sanitizer is slower at everything, by no fixed measure.
      if !isSanitized {
        try await client.expectPatience { body in
          let attacker = try #require(InteropProgram.python("abuse", [String(port), name, "repeat"]))
          let (code, text) = try await attacker.output(body)
          #expect(code == 0, "\(text)")
        }
        try await client.expectRecovery()
      }
      service.release.open()
    }
  }

  @Test("a peer that opens a call and answers no PING is dropped, and its call cancelled")
  func peerThatOpensCallAndAnswersNoPINGIsDropped() async throws {
    var settings = Self.settings
    settings.keepaliveInterval = .milliseconds(500)
    settings.keepaliveTimeout = .milliseconds(500)
    try await HonestClient.whileServing(settings) { _, port, service in
      let attacker = try #require(InteropProgram.python("abuse", [String(port), "silence_after_the_handshake"]))
      let (code, text) = try await attacker.output()
      #expect(code == 0, "\(text)")
      await eventually { service.cancellations.value == 1 }
    }
  }

  @Test("a connection on which nothing is called is closed in order after a while")
  func connectionOnWhichNothingIsCalledIsClosedInOrder() async throws {
    var settings = Self.settings
    settings.maxIdleTime = .milliseconds(300)
    try await ConnectionTests.serve(settings) { _, client in
      let peer = try #require(InteropProgram.python("abuse", [String(client.port), "idle"]))
      let (code, text) = try await peer.output()
      #expect(code == 0, "\(text)")
    }
  }

  @Test("a TLS handshake that never begins is broken off")
  func tlsHandshakeThatNeverBeginsIsBrokenOff() async throws {
    var settings = Self.settings
    settings.security = try TestCertificates.shared().serverTLS()
    try await ConnectionTests.serve(settings) { _, client in
      let attacker = try #require(InteropProgram.python("abuse", [String(client.port), "mute"]))
      let (code, text) = try await attacker.output()
      #expect(code == 0, "\(text)")
    }
  }

  /// An attack that lasts, how large it is, and how much memory it may take at most, in MiB.
  struct Siege: Sendable, CustomTestStringConvertible {
    var name: String
    var size: Int
    var megabytes: Int
    var testDescription: String { "\(name) × \(size)" }

    static let all = [
      Siege(name: "unread_answers", size: 1, megabytes: 64),
      // Each call may hold one message of 100,000 bytes and 64 KiB more.
      Siege(name: "window_stall", size: 200, megabytes: 96),
      // What they stand for would take 900 MiB.
      Siege(name: "gzip_bombs", size: 300, megabytes: 64),
      // Each of these sends sixty megabytes, of which no more than a few frames are to be kept.
      Siege(name: "straddled_messages", size: 4_000, megabytes: 24),
      Siege(name: "straddled_frames", size: 2_000, megabytes: 24),
      Siege(name: "tiny_messages", size: 1_000, megabytes: 24),
      Siege(name: "half_open", size: 300, megabytes: 64),
      Siege(name: "idle_pings", size: idleConnections, megabytes: 32 + idleConnections * 64 / 1_024),
    ]

    /// `TRANSPORT_IDLE_CONNECTIONS`; ten thousand need as many file descriptors in each of two processes.
    private static var idleConnections: Int {
      let wanted = ProcessInfo.processInfo.environment["TRANSPORT_IDLE_CONNECTIONS"].flatMap { Int($0) } ?? 10_000
      return min(wanted, OpenFiles.raise(to: wanted * 5 / 4 + 500) * 3 / 4)
    }
  }

  @Test("under siege, memory is bounded, honest calls are answered, and the server recovers", arguments: Siege.all)
  func underSiegeMemoryIsBounded(_ siege: Siege) async throws {
    var settings = Self.settings
    // Ten thousand handshakes at once take their time.
    if siege.name != "half_open" { settings.handshakeTimeout = .seconds(30) }
    try await HonestClient.whileServing(settings) { client, port, service in
      try await client.calls(100)
      let (memory, descriptors) = (residentMegabytes(), openDescriptors())
      let attacker = try #require(InteropProgram.python("abuse", [String(port), siege.name, String(siege.size)]))
      let (code, text) = try await attacker.output {
        try await client.calls(100)
        let taken = residentMegabytes() - memory
        // A sanitizer takes several times as much for itself.
        if !isSanitized { #expect(taken < siege.megabytes) }
      }
      #expect(code == 0, "\(text)")
      service.release.open()
      try await client.expectRecovery()
      await eventually("descriptors are left open") { openDescriptors() < descriptors + 50 }
    }
  }

  @Test("random bytes and mutated frames never bring the server down", arguments: 0..<8)
  func randomBytesAndMutatedFramesNeverBringServerDown(seed: UInt64) async throws {
    let count = ProcessInfo.processInfo.environment["TRANSPORT_MUTATIONS"] ?? "100"
    try await HonestClient.whileServing(Self.settings) { client, port, _ in
      let attacker = try #require(InteropProgram.python("mutate", [String(port), String(seed), count]))
      let (code, text) = try await attacker.output()
      #expect(code == 0, "\(text)")
      try await client.expectRecovery()
    }
  }
}

/// Memory of this process that is in use, in MiB.
func residentMegabytes() -> Int {
  let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
  return fields.count > 1 ? ((Int(fields[1]) ?? 0) * 4_096) >> 20 : 0
}

/// Whether scripts/sanitize.sh runs the tests.
private let isSanitized = ProcessInfo.processInfo.environment["PONOS_SANITIZER"] != nil

/// File descriptors of this process.
func openDescriptors() -> Int {
  (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
}

/// A client that means no harm and takes the time of its calls.
final class HonestClient: Sendable {
  private let client: any EchoCalls
  private let times = Recorder()

  init(_ client: any EchoCalls) {
    self.client = client
  }

  /// Serves ``EchoService`` while `body` runs, with an honest client and the port for others.
  static func whileServing(
    _ settings: ServerTransportSettings, _ body: @escaping @Sendable (HonestClient, Int, EchoService) async throws -> Void
  ) async throws {
    let service = EchoService()
    try await ConnectionTests.serve(settings, service: service) { _, client in
      try await ConnectionTests.connect(client) { calls in
        let honest = HonestClient(calls)
        try await honest.calls(20)
        try await body(honest, client.port, service)
      }
    }
  }

  /// Makes so many calls, one after the other.
  func calls(_ count: Int) async throws {
    for _ in 0..<count {
      let start = ContinuousClock.now
      try await EchoCases.stillWorks(client)
      times.add(start.duration(to: .now))
    }
  }

  /// Fails when calls take more than three times as long under an attack as without it: of a hundred, the slowest. Quiet and
  /// attack take turns, so that other work on the machine weighs on both.
  ///
  /// - Parameter underAttack: runs what it is given while an attack goes on.
  func expectPatience(underAttack: (() async throws -> Void) async throws -> Void) async throws {
    var (quiet, attacked) = ([Duration](), [Duration]())
    _ = times.take()
    for _ in 0..<3 {
      try await calls(40)
      quiet += times.take()
      try await underAttack { try await calls(40) }
      attacked += times.take()
    }
    let limit = max(Self.slowest(of: quiet) * 3, Self.noise)
    let slowest = Self.slowest(of: attacked)
    #expect(slowest < limit, "without an attack \(Self.slowest(of: quiet))")
  }

  /// What is never too long: `TRANSPORT_LATENCY` milliseconds, for a machine at rest and a release build, where 5 is fair. By default
  /// it is what a machine that does other things adds to a call, and what it takes without optimisation to read through the frames
  /// of a flood that arrived before the call did.
  private static var noise: Duration {
    .milliseconds(ProcessInfo.processInfo.environment["TRANSPORT_LATENCY"].flatMap { Int($0) } ?? 1_000)
  }

  private static func slowest(of times: [Duration]) -> Duration {
    let sorted = times.sorted()
    return sorted.isEmpty ? .zero : sorted[sorted.count * 99 / 100]
  }

  /// Fails unless fifty calls in a row are answered within five seconds.
  func expectRecovery() async throws {
    await eventually(within: .seconds(5), "the server did not recover") {
      do {
        try await calls(50)
        return true
      } catch {
        return false
      }
    }
  }
}
