package import NIOCore
import Synchronization

/// The place of one connection in a ``ResourceQuota``, and what the connection takes of it.
///
/// The connection reports from its event loop; the quota reads, and claims connections, from any thread.
package final class ConnectionLease: Sendable {
  /// Values of ``activity`` that are no time.
  private enum Mark {
    static let busy: UInt64 = 0
    static let claimed = UInt64.max
  }

  /// Grows with each connection of a quota.
  package let number: UInt64
  package let host: PeerHost
  /// Bytes that the connection has reserved, by kind.
  let received = Atomic(0)
  let unsent = Atomic(0)

  /// When the last call ended, in nanoseconds of uptime, or a mark.
  private let activity: Atomic<UInt64>
  private let onEviction: @Sendable (TransportLimit) -> Void

  /// - Parameter onEviction: makes the connection let go of what the limit is about; called on any thread, without a lock.
  package init(
    number: UInt64, host: PeerHost, openedAt: NIODeadline = .now(), onEviction: @escaping @Sendable (TransportLimit) -> Void
  ) {
    self.number = number
    self.host = host
    activity = Atomic(max(1, openedAt.uptimeNanoseconds))
    self.onEviction = onEviction
  }

  /// Notes the first of the calls that are open; false when the connection was claimed for closing meanwhile, and the call must not
  /// begin.
  package func becomeBusy() -> Bool {
    var known = activity.load(ordering: .relaxed)
    while known != Mark.claimed {
      let (exchanged, original) = activity.compareExchange(expected: known, desired: Mark.busy, ordering: .relaxed)
      if exchanged { return true }
      known = original
    }
    return false
  }

  /// Notes that no call is open any more.
  package func becomeIdle(at now: NIODeadline) {
    // Claims stay: the exchange fails.
    _ = activity.compareExchange(expected: Mark.busy, desired: max(1, now.uptimeNanoseconds), ordering: .relaxed)
  }

  /// Since when the connection has had no calls, in nanoseconds of uptime; nil when it has some or was claimed.
  var idleSince: UInt64? {
    let known = activity.load(ordering: .relaxed)
    return known == Mark.busy || known == Mark.claimed ? nil : known
  }

  /// Claims the connection for closing if it is idle; false when it is not.
  func claimIdle() -> Bool {
    guard let known = idleSince else { return false }
    return activity.compareExchange(expected: known, desired: Mark.claimed, ordering: .relaxed).exchanged
  }

  /// Claims the connection for closing with its calls.
  func claim() {
    activity.store(Mark.claimed, ordering: .relaxed)
  }

  func bytes(_ kind: BufferKind) -> Int {
    switch kind {
    case .received: received.load(ordering: .relaxed)
    case .unsent: unsent.load(ordering: .relaxed)
    }
  }

  func reserve(_ kind: BufferKind, by delta: Int) {
    switch kind {
    case .received: received.wrappingAdd(delta, ordering: .relaxed)
    case .unsent: unsent.wrappingAdd(delta, ordering: .relaxed)
    }
  }

  /// Makes the connection let go of what `limit` is about.
  func evict(_ limit: TransportLimit) {
    onEviction(limit)
  }
}

/// The two directions in which messages wait in memory.
package enum BufferKind: CaseIterable, Sendable {
  /// Received, and not read.
  case received
  /// Written by a handler, and not sent.
  case unsent

  /// The bound of the process.
  package var limit: TransportLimit {
    switch self {
    case .received: .receivedBytes
    case .unsent: .unsentBytes
    }
  }
}
