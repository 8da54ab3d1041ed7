/// How long to wait between attempts to connect: longer each time, with jitter, so that clients do not come back in step.
///
/// Growth and jitter are those of "gRPC Connection Backoff Protocol": a factor of 1.6, and up to a fifth more or less. The
/// `Backoff` of PonosCore doubles; the transport knows nothing of Ponos.
struct Backoff: Sendable {
  let initial: Duration
  let maximum: Duration
  static let factor = 1.6
  static let jitter = 0.2

  private var current: Duration

  init(initial: Duration, maximum: Duration) {
    self.initial = initial
    self.maximum = maximum
    current = initial
  }

  /// The pause before the next attempt.
  mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
    let pause = min(current, maximum)
    current = min(current * Self.factor, maximum)
    return pause * Double.random(in: (1 - Self.jitter)...(1 + Self.jitter), using: &generator)
  }

  /// Begins again after a success.
  mutating func reset() {
    current = initial
  }
}
