import PonosCore
import PonosSystem
import Synchronization

/// Clocks whose hands a test turns.
package final class TestClock: Sendable {
  private struct Hands {
    var monotonic: Int64
    var unix: UnixMilliseconds
  }

  private let hands: Mutex<Hands>
  private let sleep: @Sendable (Duration) async throws -> Void

  /// Starts at a moment in 2025, in unix milliseconds. The monotonic clock has an origin of its own, so that mixing the two up shows.
  /// Who sleeps does so by the system's clock, unless `sleep` does it otherwise.
  package init(
    startingAt milliseconds: Int64 = 1_760_000_000_000,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    hands = Mutex(Hands(monotonic: milliseconds - 1_750_000_000_000, unix: milliseconds))
    self.sleep = sleep
  }

  /// Time passes.
  package func advance(by duration: Duration) {
    hands.withLock { hands in
      hands.monotonic += duration.milliseconds
      hands.unix += duration.milliseconds
    }
  }

  /// Somebody sets the clock of the host.
  package func setWallClock(by duration: Duration) {
    hands.withLock { $0.unix += duration.milliseconds }
  }

  package var unixMilliseconds: Int64 { hands.withLock(\.unix) }

  /// What the pipeline reads.
  package var taskClock: TaskClock {
    TaskClock(monotonic: { self.hands.withLock(\.monotonic) }, unix: { self.unixMilliseconds }, sleep: sleep)
  }
}
