import Logging
import PonosConfiguration
import PonosCore
import PonosSystem
import ServiceLifecycle

/// Dials the aggregators of the configuration. Ends all sessions, dialled and accepted, when the daemon stops.
package struct AggregatorSessionService: Service {
  private let sessions: SessionRegistry
  private let dialers: [AggregatorDialer]

  package init(
    sessions: SessionRegistry, aggregators: [AggregatorConfig], policy: ReconnectPolicy = ReconnectPolicy(), logger: Logger
  ) {
    self.sessions = sessions
    dialers = aggregators.map { AggregatorDialer(aggregator: $0, sessions: sessions, policy: policy, logger: logger) }
  }

  package func run() async throws {
    await withGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        for dialer in dialers { group.addTask { await dialer.run() } }
        // Cancellation ends the wait as well.
        try? await gracefulShutdown()
      }
    } onGracefulShutdown: {
      sessions.stop()
    }
    sessions.stop()
  }
}

extension StreamConfig {
  /// The settings in the form that the state machine of a session takes.
  var sessionSettings: AggregatorSession.Machine.Settings {
    var settings = AggregatorSession.Machine.Settings()
    settings.heartbeat = heartbeat.milliseconds
    settings.maxCredit = maxCredit
    settings.maxUnacknowledged = maxUnacknowledged
    return settings
  }
}
