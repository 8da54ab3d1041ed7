import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PonosConfiguration
import PonosTelemetry
import ServiceLifecycle

/// The HTTP server for operators and their monitoring: liveness, readiness, metrics, a dump of the state, and a page to look at.
///
/// It only reads, and holds nothing: what it shows it asks for at each request.
package struct OperationsServer: Service {
  /// Connections at a time; monitoring needs a handful.
  private static let maxConnections = 128
  private static let idleTimeout = TimeAmount.seconds(60)

  private let configuration: OperationsConfig
  private let routes: OperationsRoutes
  private let logger: Logger
  private let onListening: @Sendable (Int) async -> Void

  /// `onListening` gets the port once it is bound.
  package init(
    configuration: OperationsConfig, registry: PrometheusRegistry, readiness: @escaping @Sendable () -> Readiness,
    state: @escaping @Sendable () async -> StateDump, logger: Logger,
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }
  ) {
    self.configuration = configuration
    self.logger = logger
    self.onListening = onListening
    routes = OperationsRoutes(registry: registry, readiness: readiness, state: state)
  }

  /// Serves until shutdown.
  package func run() async throws {
    let application = Application(
      router: routes.router(hosts: HostGuard.isLoopback(configuration.address) ? configuration.hosts : nil),
      server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.address, port: configuration.port),
        availableConnectionsDelegate: MaximumAvailableConnections(Self.maxConnections)),
      onServerRunning: { channel in
        if let port = channel.localAddress?.port { await onListening(port) }
      },
      logger: quietLogger)
    try await application.run()
  }

  /// Hummingbird tells of its start and of every broken connection; the daemon says itself where it listens.
  private var quietLogger: Logger {
    var logger = logger
    logger.logLevel = max(logger.logLevel, .warning)
    return logger
  }
}
