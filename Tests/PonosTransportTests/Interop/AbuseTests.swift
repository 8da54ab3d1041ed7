import Foundation
import GRPCCore
import Testing

@testable import PonosTransport

/// A raw HTTP/2 peer that breaks every rule; needs the Python environment of `scripts/build-transport-interop.sh`.
@Suite("Abuse", .serialized, .enabled(if: InteropProgram.available.contains(.grpcio)))
struct AbuseTests {
  @Test(
    "the attacker's connection ends, and honest calls on another go on",
    arguments: [
      "ping_flood", "settings_flood", "rapid_reset", "continuation_flood", "empty_data_flood", "header_bomb", "wrong_preface",
      "half_a_preface", "oversized_frame", "data_on_idle_stream", "window_overflow", "flow_control_violation",
    ])
  func attack(name: String) async throws {
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    settings.handshakeTimeout = .seconds(2)
    try await ConnectionTests.serve(settings) { _, client in
      try await ConnectionTests.connect(client) { calls in
        try await EchoCases.stillWorks(calls)
        let attacker = try #require(InteropProgram.python("abuse", [String(client.port), name]))
        async let verdict = attacker.output()
        for _ in 0..<50 { try await EchoCases.stillWorks(calls) }
        let (code, text) = try await verdict
        #expect(code == 0, "\(text)")
        try await EchoCases.stillWorks(calls)
      }
    }
  }

  @Test("random bytes and mutated frames never bring the server down", arguments: 0..<8)
  func mutation(seed: UInt64) async throws {
    try await ConnectionTests.serve(ServerTransportSettings(host: "127.0.0.1", port: 0)) { _, client in
      let attacker = try #require(InteropProgram.python("mutate", [String(client.port), String(seed), "200"]))
      let (code, text) = try await attacker.output()
      #expect(code == 0, "\(text)")
      try await ConnectionTests.connect(client) { try await EchoCases.stillWorks($0) }
    }
  }
}
