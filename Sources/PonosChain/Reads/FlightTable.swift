import PonosSystem

/// Reads under way, for others that need the same answer to wait for.
struct FlightTable: Sendable {
  typealias Outcome = Result<Void, ChainError>

  private var byCall: [FactTable.Key: UInt64] = [:]
  private var flying: Set<UInt64> = []
  private var lastID: UInt64 = 0
  /// Who waits for which read.
  var waiters = KeyedWaiters<UInt64, Outcome>()

  /// The read that will bring `key`; nil when none is under way.
  func flight(of key: FactTable.Key) -> UInt64? { byCall[key] }

  /// Whether a read is under way.
  func isFlying(_ flight: UInt64) -> Bool { flying.contains(flight) }

  /// Begins a read that brings `keys`.
  mutating func begin(_ keys: [FactTable.Key]) -> UInt64 {
    lastID += 1
    for key in keys { byCall[key] = lastID }
    flying.insert(lastID)
    return lastID
  }

  /// Ends a read. Those who waited for it have to be resumed, outside the lock.
  mutating func end(_ flight: UInt64) -> Waiters<Outcome>.Taken {
    byCall = byCall.filter { $0.value != flight }
    flying.remove(flight)
    return waiters.take(flight)
  }
}
