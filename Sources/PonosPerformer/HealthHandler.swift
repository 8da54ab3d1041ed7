import GRPCCore
import PonosAPI
import SwiftProtobuf

/// The edge of `grpc.health.v1.Health`: answers for the server as a whole and for the performer service.
struct HealthHandler: Grpc_Health_V1_Health.SimpleServiceProtocol {
  let health: PerformerHealth

  private static let names = ["", Eigenlayer_Hourglass_V1_Performer_PerformerService.descriptor.fullyQualifiedService]

  func check(
    request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext
  ) async throws -> Grpc_Health_V1_HealthCheckResponse {
    guard Self.names.contains(request.service) else {
      throw RPCError(
        code: .notFound, message: "no service '\(request.service)' here: ask for '' or '\(Self.names[1])'")
    }
    return Self.reply(health.status)
  }

  func watch(
    request: Grpc_Health_V1_HealthCheckRequest,
    response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>,
    context: ServerContext
  ) async throws {
    guard Self.names.contains(request.service) else {
      // The health protocol wants the stream left open, since the service could appear; here none ever does.
      try await response.write(Grpc_Health_V1_HealthCheckResponse.with { $0.status = .serviceUnknown })
      try await context.cancellation.cancelled
      return
    }
    try await forward(health.updates(), to: response, until: context.cancellation)
  }

  /// Sends every update until the updates end or the caller goes away.
  private func forward(
    _ updates: AsyncStream<PerformerHealth.Status>,
    to response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>,
    until cancellation: ServerContext.RPCCancellationHandle
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await status in updates { try await response.write(Self.reply(status)) }
      }
      group.addTask { try await cancellation.cancelled }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private static func reply(_ status: PerformerHealth.Status) -> Grpc_Health_V1_HealthCheckResponse {
    Grpc_Health_V1_HealthCheckResponse.with { $0.status = status == .serving ? .serving : .notServing }
  }
}
