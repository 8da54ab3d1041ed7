import GRPCCore
public import Logging
import PonosTransport
import UnixSignals

/// A performer as a process: serves tasks and health over gRPC until it is told to stop.
///
/// ```swift
/// import PonosPerformer
///
/// @main
/// struct Shout {
///   static func main() async {
///     await PerformerServer.main {
///       try PerformerServer { task in Array(try task.text.uppercased().utf8) }
///     }
///   }
/// }
/// ```
public final class PerformerServer: Sendable {
  /// The largest result an executor delivers: aggregators drop 1.5 MiB and more.
  public static let maxResultBytes = 1_572_863

  /// What the performer says about its health.
  public let health: PerformerHealth
  /// Writes one JSON object per line to standard output.
  public let log: Logger

  private let settings: PerformerSettings
  private let slots: TaskSlots
  private let transport: ServerTransportInUse
  private let server: GRPCServer<ServerTransportInUse>
  private let stopRequests: AsyncStream<Void>
  private let stopRequest: AsyncStream<Void>.Continuation

  /// A server for `performer`. It binds its port when it is run.
  public init(_ performer: some Performer, settings: PerformerSettings, health: PerformerHealth = PerformerHealth()) {
    self.settings = settings
    self.health = health
    // Docker collects it there.
    let output = StandardStream.output()
    var log = Logger(label: "performer") { label in JSONLogHandler(label: label) { output.write($0) } }
    log.logLevel = settings.logLevel
    self.log = log
    slots = TaskSlots(limit: settings.maxConcurrentTasks)
    var listener = ServerTransportSettings(host: settings.host, port: settings.port)
    // A worker may compute for as long as it likes, and must not hold up other calls.
    listener.runsHandlersOnEventLoop = false
    transport = Transports.server(listener)
    server = GRPCServer(
      transport: transport,
      services: [
        TaskHandler(performer: performer, slots: slots, log: log),
        HealthHandler(health: health),
      ])
    (stopRequests, stopRequest) = AsyncStream.makeStream(of: Void.self)
  }

  /// A server for `performer`, with ``PerformerSettings/fromEnvironment()``.
  public convenience init(_ performer: some Performer, health: PerformerHealth = PerformerHealth()) throws(PerformerError) {
    self.init(performer, settings: try .fromEnvironment(), health: health)
  }

  /// A server for a performer made of closures; `validate` accepts everything unless given.
  public convenience init(
    settings: PerformerSettings? = nil,
    health: PerformerHealth = PerformerHealth(),
    validate: @escaping @Sendable (PerformerTask) async throws -> Void = { _ in },
    handle: @escaping @Sendable (PerformerTask) async throws -> [UInt8]
  ) throws(PerformerError) {
    let settings = if let settings { settings } else { try PerformerSettings.fromEnvironment() }
    self.init(ClosurePerformer(validation: validate, handling: handle), settings: settings, health: health)
  }

  /// Serves until SIGTERM or SIGINT, then lets running tasks finish within the drain timeout. A second signal ends it at once.
  public func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.serve() }
      group.addTask {
        var isFirst = true
        for await signal in signals {
          self.log.notice("stopping", metadata: ["signal": "\(signal)", "tasks": "\(self.slots.busy)"])
          guard isFirst else { return }
          isFirst = false
          self.stop()
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Serves until ``stop()`` or until the calling task is cancelled; for tests and for processes with signal handling of
  /// their own. May be called once.
  public func serve() async throws {
    for warning in settings.warnings { log.warning("\(warning)") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.announce() }
      try await withThrowingTaskGroup(of: Void.self) { ending in
        ending.addTask { try await self.server.serve() }
        ending.addTask { await self.drainWhenStopped() }
        defer { ending.cancelAll() }
        try await ending.next()
      }
      group.cancelAll()
    }
    log.notice("stopped")
  }

  /// Starts a graceful stop: health says so, new tasks are refused, running ones may finish within the drain timeout.
  public func stop() {
    stopRequest.finish()
  }

  /// The TCP port that is bound; waits until it is.
  ///
  /// - Throws: When it cannot be bound.
  public func boundPort() async throws -> Int {
    try await transport.boundPort()
  }

  private func announce() async {
    // A port that cannot be bound is reported by serve() itself.
    guard let port = try? await transport.boundPort() else { return }
    log.notice("serving", metadata: ["host": "\(settings.host)", "port": "\(port)"])
  }

  /// Returns when the drain timeout is over, or when cancelled: that is, when all calls have ended before.
  private func drainWhenStopped() async {
    for await _ in stopRequests {}
    health.end()
    slots.drain()
    server.beginGracefulShutdown()
    do {
      try await Task.sleep(for: settings.drainTimeout)
      log.warning("running tasks are cut off", metadata: ["tasks": "\(slots.busy)"])
    } catch {
      // Cancelled: everything finished in time.
    }
  }
}
