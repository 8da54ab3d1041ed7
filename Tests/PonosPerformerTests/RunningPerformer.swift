import Foundation
import GRPCCore
import PonosAPI
import SwiftProtobuf
import PonosPerformer
import PonosTransport

typealias TaskClient = Eigenlayer_Hourglass_V1_Performer_PerformerService.Client<ClientTransportInUse>
typealias TaskRequest = Eigenlayer_Hourglass_V1_Performer_TaskRequest
typealias HealthClient = Grpc_Health_V1_Health.Client<ClientTransportInUse>
typealias HealthRequest = Grpc_Health_V1_HealthCheckRequest

/// A performer that serves on loopback, and a client connected to it.
struct RunningPerformer: Sendable {
  var server: PerformerServer
  var client: GRPCClient<ClientTransportInUse>

  var tasks: TaskClient { TaskClient(wrapping: client) }
  var health: HealthClient { HealthClient(wrapping: client) }

  /// Runs `server` for as long as `body` does, and fails when it ends with an error by itself.
  static func with<Result: Sendable>(
    _ server: PerformerServer, _ body: @Sendable (RunningPerformer) async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.serve() }
      let port = try await server.boundPort()
      let result = try await withGRPCClient(
        transport: try Transports.client(ClientTransportSettings(host: "127.0.0.1", port: port))
      ) { client in
        try await body(RunningPerformer(server: server, client: client))
      }
      server.stop()
      try await group.waitForAll()
      return result
    }
  }

  /// The text that task `id` with `payload` is answered with.
  func answer(_ payload: String, id: String = RunningPerformer.someID) async throws -> String {
    let response = try await tasks.executeTask(
      .with {
        $0.taskID = Data(id.utf8); $0.payload = Data(payload.utf8)
      })
    return String(decoding: response.result, as: UTF8.self)
  }

  /// What the health service says of `service`.
  func status(of service: String = "") async throws -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
    try await health.check(.with { $0.service = service }).status
  }

  static let someID = "0x" + String(repeating: "ab", count: 32)
}

extension PerformerSettings {
  /// Loopback, any port, quiet.
  static var test: PerformerSettings {
    var settings = PerformerSettings()
    settings.host = "127.0.0.1"
    settings.port = 0
    settings.logLevel = .critical
    return settings
  }
}

/// The status of the error that `body` throws; nil when it throws none.
func status(of body: () async throws -> some Sendable) async throws -> RPCError.Code? {
  do {
    _ = try await body()
    return nil
  } catch let error as RPCError {
    return error.code
  }
}

/// Waits until `condition` holds; false when it does not within 10 seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now + .seconds(10)
  while ContinuousClock.now < deadline {
    if try await condition() { return true }
    try await Task.sleep(for: .milliseconds(5))
  }
  return false
}
