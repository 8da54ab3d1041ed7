/// The connections that share a ``ResourceQuota``: decides who may connect, and who has to let go of something for others.
package struct ConnectionTable: Sendable {
  /// What becomes of a connection that has just been accepted.
  package enum Admission: Sendable {
    case admitted
    /// Admitted in place of another, which has to be closed.
    case replacing(ConnectionLease, TransportLimit)
    case refused(TransportLimit)
  }

  /// Connections that may be closing at a time beside those that are counted: what is left to other files is more.
  package static let maxLeaving = 64
  /// Connections that are told at a time to let go of memory, so that no look through the table is followed by another at once.
  private static let maxShedding = 64

  private let maxConnections: Int
  private let maxPerHost: Int
  private var hosts: [PeerHost: [UInt64: ConnectionLease]] = [:]
  private var leaving: Set<UInt64> = []
  /// Connections that have been told to let go of memory and have not yet, with the bytes they held then.
  private var shedding: [BufferKind: [UInt64: Int]] = [:]
  /// Connections that are counted; those that were claimed for closing are not.
  package private(set) var count = 0

  package init(maxConnections: Int, maxPerHost: Int) {
    self.maxConnections = maxConnections
    self.maxPerHost = maxPerHost
  }

  // MARK: Connections

  /// Judges a connection that has just been accepted, and adds it unless it is refused.
  package mutating func admit(_ lease: ConnectionLease) -> Admission {
    let own = hosts[lease.host]?.count ?? 0
    let admission: Admission
    if own >= maxPerHost, lease.host != .unixSocket {
      admission = replace(Self.oldestIdle(hosts[lease.host]?.values), because: .connectionsPerHost)
    } else if count >= maxConnections {
      admission = replace(victim(forHostWith: own), because: .connections)
    } else {
      admission = .admitted
    }
    if case .refused = admission { return admission }
    hosts[lease.host, default: [:]][lease.number] = lease
    count += 1
    return admission
  }

  /// Removes a connection that has closed.
  package mutating func remove(_ lease: ConnectionLease) {
    for kind in BufferKind.allCases { shedding[kind]?[lease.number] = nil }
    if leaving.remove(lease.number) == nil { forget(lease) }
  }

  private mutating func forget(_ lease: ConnectionLease) {
    guard hosts[lease.host]?.removeValue(forKey: lease.number) != nil else { return }
    if hosts[lease.host]?.isEmpty == true { hosts[lease.host] = nil }
    count -= 1
  }

  private mutating func replace(_ victim: ConnectionLease?, because limit: TransportLimit) -> Admission {
    guard let victim, leaving.count < Self.maxLeaving else { return .refused(limit) }
    // An idle connection may have become busy since it was chosen.
    if victim.idleSince != nil, !victim.claimIdle() { return .refused(limit) }
    victim.claim()
    forget(victim)
    leaving.insert(victim.number)
    return .replacing(victim, limit)
  }

  /// The connection that makes room for one of a host that has `own`: of the hosts that have most, the one that has been idle for
  /// longest. A host that takes more than half of what it may, with calls on all of its connections, gives up its newest for a host that
  /// has a quarter of that.
  private func victim(forHostWith own: Int) -> ConnectionLease? {
    let most = hosts.values.map(\.count).max() ?? 0
    guard most >= max(own, 1) else { return nil }
    let crowded = hosts.values.filter { $0.count == most }
    if let idle = Self.oldestIdle(crowded.lazy.flatMap(\.values)) { return idle }
    guard most * 2 > maxPerHost, most >= 4 * (own + 1) else { return nil }
    return crowded.first?.values.max { $0.number < $1.number }
  }

  private static func oldestIdle(_ leases: (some Sequence<ConnectionLease>)?) -> ConnectionLease? {
    var (found, oldest): (ConnectionLease?, UInt64) = (nil, .max)
    guard let leases else { return nil }
    for lease in leases {
      guard let since = lease.idleSince, since < oldest else { continue }
      (found, oldest) = (lease, since)
    }
    return found
  }

  // MARK: Memory

  /// The connections that have to let go of their messages when the process holds `used` bytes of `limit`: the largest of the host that
  /// holds most, until an eighth of the limit is free.
  package mutating func largestHolders(_ kind: BufferKind, used: Int, limit: Int) -> [ConnectionLease] {
    // What others are about to let go of will be free in a moment.
    let remaining = used - (shedding[kind]?.values.reduce(0, +) ?? 0)
    guard remaining > limit else { return [] }
    var holders = holders(of: kind)
    var totals = holders.mapValues { $0.reduce(0) { $0 + $1.bytes } }
    var (chosen, excess): ([ConnectionLease], Int) = ([], remaining - limit * 7 / 8)
    while excess > 0, chosen.count < Self.maxShedding {
      guard let host = totals.max(by: { $0.value < $1.value })?.key, let largest = holders[host]?.popLast() else { break }
      totals[host] = holders[host]?.isEmpty == true ? nil : (totals[host] ?? 0) - largest.bytes
      excess -= largest.bytes
      shedding[kind, default: [:]][largest.lease.number] = largest.bytes
      chosen.append(largest.lease)
    }
    return chosen
  }

  /// Notes that a connection has let go of its messages.
  package mutating func didShed(_ kind: BufferKind, _ lease: ConnectionLease) {
    shedding[kind]?[lease.number] = nil
  }

  /// Those that hold something, by host, the largest last.
  private func holders(of kind: BufferKind) -> [PeerHost: [(lease: ConnectionLease, bytes: Int)]] {
    let told = shedding[kind] ?? [:]
    return hosts.compactMapValues { leases in
      let holding = leases.values.lazy.map { (lease: $0, bytes: $0.bytes(kind)) }
        .filter { $0.bytes > 0 && told[$0.lease.number] == nil }
      let sorted = holding.sorted { $0.bytes < $1.bytes }
      return sorted.isEmpty ? nil : sorted
    }
  }
}
