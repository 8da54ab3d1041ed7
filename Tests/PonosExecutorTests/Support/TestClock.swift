import PonosCore
import PonosExecutor
import Synchronization

/// Clocks whose hands a test turns.
final class TestClock: Sendable {
  private let now: Mutex<Int64>
  private let sleep: @Sendable (Duration) async throws -> Void

  /// Starts at a moment in 2025, in unix milliseconds. Who sleeps does so by the system's clock, unless `sleep` does it otherwise.
  init(
    startingAt milliseconds: Int64 = 1_760_000_000_000,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    now = Mutex(milliseconds)
    self.sleep = sleep
  }

  func advance(by duration: Duration) {
    now.withLock { $0 += duration.milliseconds }
  }

  var unixMilliseconds: Int64 { now.withLock { $0 } }

  /// What the pipeline reads. The monotonic clock has an origin of its own, so that mixing the two up shows.
  var taskClock: TaskClock {
    TaskClock(monotonic: { self.unixMilliseconds - 1_750_000_000_000 }, unix: { self.unixMilliseconds }, sleep: sleep)
  }
}
