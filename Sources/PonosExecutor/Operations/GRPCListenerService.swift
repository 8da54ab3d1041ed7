import GRPCCore
import Logging
import PonosTelemetry
import PonosTransport
import ServiceLifecycle

/// A gRPC port: serves until shutdown, then lets the calls in hand finish.
package struct GRPCListenerService: Service {
  private let server: GRPCServer<ServerTransportInUse>
  private let name: String
  private let logger: Logger

  package init(
    name: String, transport: ServerTransportInUse, services: [any RegistrableRPCService],
    interceptors: [ConditionalInterceptor<any ServerInterceptor>], logger: Logger
  ) {
    self.name = name
    self.logger = logger
    server = GRPCServer(transport: transport, services: services, interceptorPipeline: interceptors)
  }

  package func run() async throws {
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.serve() }
        let port = try await server.transport.boundPort()
        logger.notice("listening", metadata: [LogKey.service: "\(name)", LogKey.port: "\(port)"])
        try await group.waitForAll()
      }
    } onGracefulShutdown: {
      server.beginGracefulShutdown()
    }
  }
}
