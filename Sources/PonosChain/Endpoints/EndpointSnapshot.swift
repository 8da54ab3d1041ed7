/// One endpoint as it is now, for people.
package struct EndpointSnapshot: Sendable, Equatable {
  package let host: String
  package let phase: EndpointStateMachine.Phase
  /// The newest block it told of.
  package let head: BlockHeader?
  /// Blocks behind the best head known.
  package let lag: UInt64
  package let lastError: ChainError?
  /// Calls sent in the last hour, each entry of a batch counted.
  package let callsLastHour: Int
}

/// Something that happened at an endpoint, for metrics and logs.
package enum EndpointEvent: Sendable, Equatable {
  /// An HTTP request ended; `methods` has an entry for each call in it, `failure` is nil when it was answered.
  case request(host: String, methods: [RPCRequest.Method], failure: ChainError.Code?, seconds: Double)
  /// It is not asked for a while.
  case down(host: String, error: ChainError)
  /// It is asked again, or for the first time.
  case up(host: String)
  /// Endpoints that gave one answer, and those that gave others.
  case disagreement([[String]], call: String)
}

/// Counts by minute for an hour back.
struct HourlyCount: Sendable {
  private var slots = [Int](repeating: 0, count: 60)
  private var minute: Int64 = 0

  mutating func add(_ count: Int, at now: Duration) {
    turn(to: now)
    slots[Int(minute % 60)] += count
  }

  mutating func total(at now: Duration) -> Int {
    turn(to: now)
    return slots.reduce(0, +)
  }

  private mutating func turn(to now: Duration) {
    let current = now.components.seconds / 60
    for passed in stride(from: max(minute + 1, current - 59), through: current, by: 1) { slots[Int(passed % 60)] = 0 }
    minute = max(minute, current)
  }
}
