import GRPCCore
import PonosAPI
import PonosPerformer
import SwiftProtobuf
import Testing

@Suite struct HealthTests {
  private let service = "eigenlayer.hourglass.v1.performer.PerformerService"

  @Test func checkSaysWhatTheAuthorSays() async throws {
    let health = PerformerHealth(.notServing)
    let server = try PerformerServer(settings: .test, health: health) { _ in [] }
    try await RunningPerformer.with(server) { running async throws in
      #expect(try await running.status() == .notServing)
      health.set(.serving)
      #expect(try await running.status() == .serving)
      #expect(try await running.status(of: service) == .serving)
    }
  }

  @Test func checkOfAnUnknownServiceIsNotFound() async throws {
    let server = try PerformerServer(settings: .test) { _ in [] }
    try await RunningPerformer.with(server) { running async throws in
      #expect(try await status { try await running.status(of: "no.such.Service") } == .notFound)
    }
  }

  @Test func watchSendsTheStatusAndEachChangeUntilTheServerDrains() async throws {
    let server = try PerformerServer(settings: .test) { _ in [] }
    try await RunningPerformer.with(server) { running async throws in
      let seen = try await running.health.watch(.init()) { response in
        var seen: [String] = []
        for try await message in response.messages {
          seen.append("\(message.status)")
          switch seen.count {
          case 1: server.health.set(.notServing)
          case 2: server.health.set(.serving)
          case 3: server.stop()
          default: break
          }
        }
        return seen
      }
      #expect(seen == ["serving", "notServing", "serving", "notServing"])
    }
  }

  @Test func watchOfAnUnknownServiceSaysSo() async throws {
    let server = try PerformerServer(settings: .test) { _ in [] }
    try await RunningPerformer.with(server) { running async throws in
      let first = try await running.health.watch(.with { $0.service = "no.such.Service" }) { response in
        for try await message in response.messages { return "\(message.status)" }
        return "nothing"
      }
      #expect(first == "serviceUnknown")
    }
  }
}
