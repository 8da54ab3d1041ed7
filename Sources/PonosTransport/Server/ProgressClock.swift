import NIOCore

/// Ticks while a connection has calls, so that ``CallProgress`` can be asked about each: one timer for all of them.
///
/// All state belongs to the event loop of the connection.
final class ProgressClock {
  /// Ticks within the shorter of the two times that calls have.
  private static let ticksPerLimit: Int64 = 4

  /// Time for a request, or a message of a stream, to become complete.
  let requestTime: Duration
  /// Time for the peer to take something of a response that waits.
  let responseTime: Duration
  /// Both, in ticks.
  let limits: CallProgress.Limits
  /// Ticks so far.
  private(set) var tick = 0
  /// Looks after the calls; returns whether there are any.
  var onTick: (() -> Bool)?

  private let eventLoop: any EventLoop
  private let interval: TimeAmount
  private var timer: Scheduled<Void>?

  init(eventLoop: any EventLoop, requestTime: Duration, responseTime: Duration) {
    (self.eventLoop, self.requestTime, self.responseTime) = (eventLoop, requestTime, responseTime)
    let length = max(1_000_000, TimeAmount(min(requestTime, responseTime)).nanoseconds / Self.ticksPerLimit)
    interval = .nanoseconds(length)
    func ticks(_ time: Duration) -> Int { Int(clamping: (TimeAmount(time).nanoseconds + length - 1) / length) }
    limits = CallProgress.Limits(request: ticks(requestTime), response: ticks(responseTime))
  }

  /// A call has begun.
  func start() {
    guard timer == nil else { return }
    timer = eventLoop.assumeIsolated().scheduleTask(in: interval) {
      self.timer = nil
      self.tick += 1
      if self.onTick?() == true { self.start() }
    }
  }

  /// The connection is gone.
  func stop() {
    timer?.cancel()
    timer = nil
    onTick = nil
  }
}
