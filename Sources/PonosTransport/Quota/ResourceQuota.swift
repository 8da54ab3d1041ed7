import Glibc
import Synchronization

/// What all listeners that share it may take together: connections, and memory for messages on their way in and out.
///
/// One is made for the process and put into the settings of each listener. Connections reserve memory in chunks, so that a call costs no
/// more than an addition now and then; the lock is taken when connections come and go, and at a bound.
package final class ResourceQuota: Sendable {
  /// Is told of each bound that a peer has reached, for metrics and logs; called on any thread, and must not block.
  package typealias Observer = @Sendable (TransportLimit, PeerHost) -> Void

  /// Sizes of a quota.
  package struct Limits: Sendable {
    /// Bytes of received messages that nobody has read, incomplete ones included; by default an eighth of the memory of the machine, at
    /// most 1 GiB.
    package var maxReceivedBytes: Int
    /// Bytes of messages that have not been written to their sockets; by default as many.
    package var maxUnsentBytes: Int
    /// Connections; by default what ``connections(openFiles:)`` says, at most 20,000.
    package var maxConnections: Int
    /// Connections of one ``PeerHost``, unix sockets excepted; nil for a quarter of ``maxConnections``, at least 16.
    package var maxConnectionsPerHost: Int?

    /// Limits that suit the machine and what this process may open.
    package init() {
      maxReceivedBytes = min(1 << 30, Self.physicalMemory / 8)
      maxUnsentBytes = maxReceivedBytes
      maxConnections = min(20_000, Self.connections(openFiles: Self.openFiles))
    }

    /// Connections that leave a quarter of `openFiles`, and at least 128, to everything else; at least one.
    package static func connections(openFiles: Int) -> Int {
      max(1, openFiles - max(128, openFiles / 4))
    }

    /// Files this process may open (RLIMIT_NOFILE), as far as that is known and limited.
    package static var openFiles: Int {
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
      return Int(clamping: limit.rlim_cur)
    }

    /// Memory of the machine, in bytes.
    private static var physicalMemory: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }
  }

  /// What is taken at the moment.
  package struct Usage: Equatable, Sendable {
    package var connections = 0
    /// Bytes reserved for received messages, rounded up to chunks.
    package var receivedBytes = 0
    /// Bytes reserved for messages to be sent, rounded up to chunks.
    package var unsentBytes = 0

    package init(connections: Int = 0, receivedBytes: Int = 0, unsentBytes: Int = 0) {
      self.connections = connections
      self.receivedBytes = receivedBytes
      self.unsentBytes = unsentBytes
    }
  }

  package let limits: Limits
  private let observer: Observer
  private let numbers = Atomic<UInt64>(0)
  private let received = Atomic(0)
  private let unsent = Atomic(0)
  private let table: Mutex<ConnectionTable>
  private let counts = Mutex<[TransportLimit: Int]>([:])

  package init(_ limits: Limits = Limits(), observer: @escaping Observer = { _, _ in }) {
    self.limits = limits
    self.observer = observer
    let perHost = limits.maxConnectionsPerHost ?? max(16, limits.maxConnections / 4)
    table = Mutex(ConnectionTable(maxConnections: limits.maxConnections, maxPerHost: perHost))
  }

  /// What is taken at the moment.
  package var usage: Usage {
    Usage(
      connections: table.withLock { $0.count }, receivedBytes: received.load(ordering: .relaxed),
      unsentBytes: unsent.load(ordering: .relaxed))
  }

  /// How often peers have reached `limit`.
  package func count(of limit: TransportLimit) -> Int { counts.withLock { $0[limit] ?? 0 } }

  /// Counts that a peer has reached a limit, and tells the observer.
  package func note(_ limit: TransportLimit, by host: PeerHost) {
    counts.withLock { $0[limit, default: 0] += 1 }
    observer(limit, host)
  }

  // MARK: Connections

  /// A place for a connection that has just been accepted, which ``remove(_:)`` gives back; nil when it has to be closed. May claim the
  /// place of another connection.
  ///
  /// - Parameter onEviction: makes the connection let go of what the limit is about; called on any thread.
  package func admit(_ host: PeerHost, onEviction: @escaping @Sendable (TransportLimit) -> Void) -> QuotaMember? {
    let number = numbers.wrappingAdd(1, ordering: .relaxed).newValue
    let lease = ConnectionLease(number: number, host: host, onEviction: onEviction)
    switch table.withLock({ $0.admit(lease) }) {
    case .admitted:
      return QuotaMember(quota: self, lease: lease)
    case .replacing(let victim, let limit):
      note(limit, by: victim.host)
      victim.evict(limit)
      return QuotaMember(quota: self, lease: lease)
    case .refused(let limit):
      note(limit, by: host)
      return nil
    }
  }

  /// Gives back the place of a connection whose socket is closed.
  package func remove(_ lease: ConnectionLease) {
    table.withLock { $0.remove(lease) }
  }

  // MARK: Memory

  /// Reserves `delta` bytes more for a connection, or fewer. Beyond the bound, the largest holders are told to let go of what they have.
  func reserve(_ kind: BufferKind, for lease: ConnectionLease, by delta: Int) {
    lease.reserve(kind, by: delta)
    let (used, limit) =
      switch kind {
      case .received: (received.wrappingAdd(delta, ordering: .relaxed).newValue, limits.maxReceivedBytes)
      case .unsent: (unsent.wrappingAdd(delta, ordering: .relaxed).newValue, limits.maxUnsentBytes)
      }
    guard delta > 0, used > limit else { return }
    for holder in table.withLock({ $0.largestHolders(kind, used: used, limit: limit) }) {
      note(kind.limit, by: holder.host)
      holder.evict(kind.limit)
    }
  }

  /// Notes that a connection has let go of its messages, as it was told.
  func didShed(_ kind: BufferKind, _ lease: ConnectionLease) {
    table.withLock { $0.didShed(kind, lease) }
  }
}
