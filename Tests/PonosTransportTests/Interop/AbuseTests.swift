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
    return settings
  }

  @Test(
    "the attacker's connection ends, and honest calls on another go on",
    arguments: [
      "ping_flood", "settings_flood", "priority_flood", "rapid_reset", "continuation_flood", "empty_data_flood", "header_bomb",
      "wrong_preface", "half_a_preface", "oversized_frame", "data_on_idle_stream", "window_overflow",
      "flow_control_violation", "too_many_streams",
    ])
  func attack(name: String) async throws {
    try await HonestClient.whileServing(Self.settings) { client, port, service in
      let attacker = try #require(InteropProgram.python("abuse", [String(port), name]))
      async let verdict = attacker.output()
      try await client.calls(50)
      let (code, text) = try await verdict
      #expect(code == 0, "\(text)")
      try await client.expectRecovery()
      service.release.open()
    }
  }

  @Test("a peer that opens a call and answers no PING is dropped, and its call cancelled")
  func silence() async throws {
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

  @Test("a TLS handshake that never begins is broken off")
  func muteBeforeTLS() async throws {
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
      Siege(name: "half_open", size: 300, megabytes: 64),
      Siege(name: "idle_pings", size: idleConnections, megabytes: 32 + idleConnections * 64 / 1_024),
    ]

    /// `TRANSPORT_IDLE_CONNECTIONS`; ten thousand need as many file descriptors in each of two processes.
    private static var idleConnections: Int {
      ProcessInfo.processInfo.environment["TRANSPORT_IDLE_CONNECTIONS"].flatMap { Int($0) } ?? 500
    }
  }

  /// `TRANSPORT_LATENCY` also asks that honest calls be about as quick as ever, which says something only on a machine at rest.
  private static var judgesLatency: Bool { ProcessInfo.processInfo.environment["TRANSPORT_LATENCY"] != nil }

  @Test("under siege, memory is bounded, honest calls are answered, and the server recovers", arguments: Siege.all)
  func siege(_ siege: Siege) async throws {
    try await HonestClient.whileServing(Self.settings) { client, port, service in
      try await client.calls(300)
      let quiet = client.takeSlowest()
      let (memory, descriptors) = (residentMegabytes(), openDescriptors())
      let attacker = try #require(InteropProgram.python("abuse", [String(port), siege.name, String(siege.size)]))
      let (code, text) = try await attacker.output {
        try await client.calls(300)
        #expect(residentMegabytes() - memory < siege.megabytes)
      }
      #expect(code == 0, "\(text)")
      let besieged = client.takeSlowest()
      if Self.judgesLatency { #expect(besieged < max(quiet * 3, .milliseconds(5)), "\(quiet) before, \(text)") }
      service.release.open()
      try await client.expectRecovery()
      await eventually("descriptors are left open") { openDescriptors() < descriptors + 50 }
    }
  }

  @Test("random bytes and mutated frames never bring the server down", arguments: 0..<8)
  func mutation(seed: UInt64) async throws {
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
  return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4_096 >> 20 : 0
}

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
        _ = honest.takeSlowest()
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

  /// The time that one call in a hundred exceeded, since this was last asked.
  func takeSlowest() -> Duration {
    let sorted = times.take().sorted()
    return sorted[sorted.count * 99 / 100]
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
