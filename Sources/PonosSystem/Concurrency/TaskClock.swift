import Foundation
import PonosCore

/// The two clocks that tasks are measured by, and the pause between two tries. A parameter, so that tests can set the time.
package struct TaskClock: Sendable {
  /// Milliseconds since an arbitrary moment, never set back; deadlines count by it while the daemon runs.
  package var monotonic: @Sendable () -> Int64
  /// The time of day, which is stored and shown.
  package var unix: @Sendable () -> UnixMilliseconds
  /// Returns after a time; throws `CancellationError` at once when the caller is cancelled.
  package var sleep: @Sendable (Duration) async throws -> Void

  package init(
    monotonic: @escaping @Sendable () -> Int64, unix: @escaping @Sendable () -> UnixMilliseconds,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.monotonic = monotonic
    self.unix = unix
    self.sleep = sleep
  }

  /// Both clocks at one moment, to convert stored times to this process's clock.
  package struct Reading: Sendable {
    package let monotonic: Int64
    package let unix: UnixMilliseconds
  }

  package func read() -> Reading { Reading(monotonic: monotonic(), unix: unix()) }

  /// The system's clocks.
  package static let system: TaskClock = {
    let origin = ContinuousClock.now
    return TaskClock(
      monotonic: { (ContinuousClock.now - origin).milliseconds },
      unix: { UnixMilliseconds(Date().timeIntervalSince1970 * 1000) })
  }()
}

extension Duration {
  /// Whole milliseconds, rounded towards zero.
  package var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }

  /// Seconds with their fraction, for metrics.
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
