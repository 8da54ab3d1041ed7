import Synchronization

/// Reads under way, for others that need the same answer to wait for.
struct FlightTable: Sendable {
  typealias Outcome = Result<Void, ChainError>

  private var byCall: [FactTable.Key: UInt64] = [:]
  private var waiters: [UInt64: [UInt64: CheckedContinuation<Outcome, Never>]] = [:]
  private var lastID: UInt64 = 0

  /// The read that will bring `key`; nil when none is under way.
  func flight(of key: FactTable.Key) -> UInt64? { byCall[key] }

  /// Whether a read is under way.
  func isFlying(_ flight: UInt64) -> Bool { waiters[flight] != nil }

  /// A name that nobody else has.
  mutating func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }

  /// Begins a read that brings `keys`.
  mutating func begin(_ keys: [FactTable.Key]) -> UInt64 {
    let flight = nextID()
    for key in keys { byCall[key] = flight }
    waiters[flight] = [:]
    return flight
  }

  /// Adds somebody who waits. Returns false, without keeping the continuation, when the read is over.
  mutating func wait(for flight: UInt64, as waiter: UInt64, _ continuation: CheckedContinuation<Outcome, Never>) -> Bool {
    guard waiters[flight] != nil else { return false }
    waiters[flight]?[waiter] = continuation
    return true
  }

  /// Removes somebody who does not wait any more, to be resumed by the caller.
  mutating func leave(_ flight: UInt64, _ waiter: UInt64) -> CheckedContinuation<Outcome, Never>? {
    waiters[flight]?.removeValue(forKey: waiter)
  }

  /// Ends a read. The continuations returned have to be resumed, outside the lock.
  mutating func end(_ flight: UInt64) -> [CheckedContinuation<Outcome, Never>] {
    byCall = byCall.filter { $0.value != flight }
    return waiters.removeValue(forKey: flight).map { Array($0.values) } ?? []
  }
}
