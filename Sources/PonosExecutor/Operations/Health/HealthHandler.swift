import GRPCCore
import PonosAPI
import SwiftProtobuf

/// grpc.health.v1 for a gRPC port.
///
/// The port as a whole and the services of tasks serve while the tasks of any AVS are served: one broken AVS takes nothing from the others,
/// and `/readyz` names it. The management service serves as long as the port is open, because it is what mends the rest.
package struct HealthHandler: Grpc_Health_V1_Health.SimpleServiceProtocol {
  /// Bytes the name of a service may have.
  private static let maxNameBytes = 1024

  /// Services that do not depend on performers.
  private let alwaysServing: Set<String>
  private let services: Set<String>
  private let publisher: HealthPublisher

  /// - Parameters:
  ///   - services: The services on the port; the empty name, the port as a whole, is always known.
  ///   - alwaysServing: Those of them that serve whatever performers do.
  package init(services: [ServiceDescriptor], alwaysServing: [ServiceDescriptor] = [], publisher: HealthPublisher) {
    self.services = Set(services.map(\.fullyQualifiedService)).union([""])
    self.alwaysServing = Set(alwaysServing.map(\.fullyQualifiedService))
    self.publisher = publisher
  }

  package func check(
    request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext
  ) async throws -> Grpc_Health_V1_HealthCheckResponse {
    try checkLength(of: request.service)
    guard services.contains(request.service) else {
      throw RPCError(code: .notFound, message: "service is not served on this port; the empty name asks for the port as a whole")
    }
    return .with { $0.status = status(of: request.service, isServing: publisher.current) }
  }

  package func watch(
    request: Grpc_Health_V1_HealthCheckRequest, response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>,
    context: ServerContext
  ) async throws {
    try checkLength(of: request.service)
    guard publisher.beginWatch() else {
      throw RPCError(
        code: .resourceExhausted, message: "\(HealthPublisher.maxWatches) watches are open; ask with Check now and then instead")
    }
    defer { publisher.endWatch() }
    // The handler's task is not cancelled when the caller leaves or the port closes; this handle is.
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await tell(request.service, response) }
      group.addTask { try await context.cancellation.cancelled }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Writes the status, and again whenever it is another one, until cancelled.
  private func tell(_ service: String, _ response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>) async throws {
    var last: Grpc_Health_V1_HealthCheckResponse.ServingStatus?
    while !Task.isCancelled {
      let isServing = publisher.current
      let status = status(of: service, isServing: isServing)
      if status != last { try await response.write(.with { $0.status = status }) }
      last = status
      await publisher.changed(from: isServing)
    }
  }

  private func checkLength(of service: String) throws(RPCError) {
    guard service.utf8.count <= Self.maxNameBytes else {
      throw RPCError(code: .invalidArgument, message: "service has more than \(Self.maxNameBytes) bytes")
    }
  }

  private func status(of service: String, isServing: Bool) -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
    guard services.contains(service) else { return .serviceUnknown }
    return isServing || alwaysServing.contains(service) ? .serving : .notServing
  }
}
