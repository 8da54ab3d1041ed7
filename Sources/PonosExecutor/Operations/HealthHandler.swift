import GRPCCore
import PonosAPI
import SwiftProtobuf

/// grpc.health.v1 for a gRPC port: says whether the daemon takes tasks.
package struct HealthHandler: Grpc_Health_V1_Health.SimpleServiceProtocol {
  private let services: Set<String>
  private let isReady: @Sendable () -> Bool
  private let pollInterval: Duration

  /// - Parameters:
  ///   - services: Full names of the services on the port; the empty name, the port as a whole, is always known.
  ///   - pollInterval: How often a watched state is looked at.
  package init(
    services: [ServiceDescriptor], pollInterval: Duration = .milliseconds(500), isReady: @escaping @Sendable () -> Bool
  ) {
    self.services = Set(services.map(\.fullyQualifiedService)).union([""])
    self.pollInterval = pollInterval
    self.isReady = isReady
  }

  package func check(
    request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext
  ) async throws -> Grpc_Health_V1_HealthCheckResponse {
    guard services.contains(request.service) else {
      throw RPCError(code: .notFound, message: "service is not served on this port; the empty name asks for the port as a whole")
    }
    return .with { $0.status = status(of: request.service) }
  }

  package func watch(
    request: Grpc_Health_V1_HealthCheckRequest, response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>,
    context: ServerContext
  ) async throws {
    var last: Grpc_Health_V1_HealthCheckResponse.ServingStatus?
    // The handler's task is not cancelled when the caller leaves or the port closes; this handle is.
    while !context.cancellation.isCancelled {
      let status = status(of: request.service)
      if status != last { try await response.write(.with { $0.status = status }) }
      last = status
      try await Task.sleep(for: pollInterval)
    }
  }

  private func status(of service: String) -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
    guard services.contains(service) else { return .serviceUnknown }
    return isReady() ? .serving : .notServing
  }
}
