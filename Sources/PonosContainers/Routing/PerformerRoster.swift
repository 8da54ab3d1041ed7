import PonosCore
import PonosSystem
import Synchronization

/// Which performer is in service as each replica of an AVS, which of them serve right now, and how many more tasks each can take.
///
/// The roster alone knows which performer is in service. Deployments publish performers; supervisors withdraw, republish and
/// retire them; task services lease their slots. A draining performer keeps the tasks it has and gets no new ones. The circuit
/// breaker of a performer that fails its tasks keeps further ones away from it; a new container begins with a closed breaker.
package final class PerformerRoster: Sendable {
  /// A performer that can be given tasks.
  package struct Entry: Sendable {
    package let performerID: String
    package let avs: EthereumAddress
    /// Its number among the replicas of the AVS, from 0.
    package let replica: Int
    /// Tasks at a time, at least 1.
    package let capacity: Int
    package let connection: any PerformerConnection

    package init(
      performerID: String, avs: EthereumAddress, replica: Int = 0, capacity: Int, connection: any PerformerConnection
    ) {
      self.performerID = performerID
      self.avs = avs
      self.replica = replica
      self.capacity = capacity
      self.connection = connection
    }
  }

  /// One slot of a performer, taken. Give it back with `release`, exactly once.
  package struct Lease: Sendable {
    package let entry: Entry
    /// Rises with every publication: two leases with different ones are of different containers.
    package let publication: UInt64
    /// The publications of the AVS whose containers were there when the lease was given; all others are gone.
    package let present: [UInt64]
    /// Whether the container could not be reached before the lease was given: its end is no fault of this lease's task.
    package let isSuspect: Bool
    fileprivate let number: UInt64
    fileprivate let permit: CircuitBreaker.Permit
  }

  /// What a reader sees of one performer.
  package struct Snapshot: Sendable, Equatable {
    package let performerID: String
    package let avs: EthereumAddress
    package let replica: Int
    package let capacity: Int
    package let outstanding: Int
    package let isDraining: Bool
    package let breaker: CircuitBreaker.State
  }

  /// How performers are chosen and judged.
  package struct Rules: Sendable {
    package var balancing: @Sendable (EthereumAddress) -> LoadBalancing
    package var breaker: @Sendable (EthereumAddress) -> CircuitBreaker.Settings
    /// Called, outside any lock, when a breaker opens; must not block.
    package var breakerOpened: @Sendable (_ avs: EthereumAddress, _ performerID: String) -> Void

    package init(
      balancing: @escaping @Sendable (EthereumAddress) -> LoadBalancing = { _ in .leastOutstanding },
      breaker: @escaping @Sendable (EthereumAddress) -> CircuitBreaker.Settings = { _ in .standard },
      breakerOpened: @escaping @Sendable (_ avs: EthereumAddress, _ performerID: String) -> Void = { _, _ in }
    ) {
      self.balancing = balancing
      self.breaker = breaker
      self.breakerOpened = breakerOpened
    }
  }

  private struct Slot {
    let entry: Entry
    var breaker: CircuitBreaker
    let publication: UInt64
    var leases: Set<UInt64> = []
    /// The one lease there is takes all of the performer.
    var isTakenWhole = false
    /// A run could not reach the container.
    var isSuspect = false
    var isDraining = false

    var replicaID: ReplicaID { ReplicaID(avs: entry.avs, replica: entry.replica) }

    /// Whether a run may begin here now, `alone` or beside others.
    func hasRoom(alone: Bool, at now: Int64) -> Bool {
      !isTakenWhole && leases.count < (alone ? 1 : entry.capacity) && breaker.admits(at: now)
    }

    /// Takes a place in it; nil when the breaker lets none in.
    mutating func lease(number: UInt64, alone: Bool, present: [UInt64], at now: Int64) -> Lease? {
      guard let permit = breaker.admit(at: now) else { return nil }
      leases.insert(number)
      isTakenWhole = alone
      return Lease(
        entry: entry, publication: publication, present: present, isSuspect: isSuspect, number: number, permit: permit)
    }
  }

  private struct State {
    /// The performer in service as each replica: the one published or assigned last, whether it serves at the moment or not.
    var holders: [ReplicaID: String] = [:]
    /// The serving performers of each AVS, by replica.
    var serving: [EthereumAddress: [Int: String]] = [:]
    /// The replica of each AVS that was chosen last.
    var chosenLast: [EthereumAddress: Int] = [:]
    /// Serving and draining performers by id; added and removed by `put` and `remove`. To be changed in place: a copy beside it
    /// would have its set of leases copied by the first change.
    var slots: [String: Slot] = [:]
    /// The publications of each AVS whose slots there are.
    private(set) var publications: [EthereumAddress: [UInt64]] = [:]
    var lastPublication: UInt64 = 0
    var nextLease: UInt64 = 0
    /// Callers of `drained`, by performer; each of these has a slot with leases.
    var drains = KeyedWaiters<String, Void>()

    /// Puts a slot in the place of the one there was under its performer's id, if any.
    mutating func put(_ slot: Slot) {
      remove(slot.entry.performerID)
      slots[slot.entry.performerID] = slot
      publications[slot.entry.avs, default: []].append(slot.publication)
    }

    mutating func remove(_ id: String) {
      guard let slot = slots.removeValue(forKey: id) else { return }
      publications[slot.entry.avs]?.removeAll { $0 == slot.publication }
    }
  }

  private let state = Mutex(State())
  private let rules: Rules
  private let clock: TaskClock
  private let changed: @Sendable (EthereumAddress) -> Void

  /// `changed` is called, outside any lock, whenever a slot of an AVS may have become free or a performer has come.
  package init(
    rules: Rules = Rules(), clock: TaskClock = .system, changed: @escaping @Sendable (EthereumAddress) -> Void
  ) {
    self.rules = rules
    self.clock = clock
    self.changed = changed
  }

  // MARK: Performers

  /// Makes a performer the one in service as its replica, though it does not serve yet.
  package func assign(_ replica: ReplicaID, to performerID: String) {
    state.withLock { $0.holders[replica] = performerID }
  }

  /// Puts a performer in service as its replica, and returns the one that was, unless there was none. That one, if it serves,
  /// drains from now on.
  @discardableResult
  package func publish(_ entry: Entry) -> String? {
    let (replaced, drains) = state.withLock { state in
      (state.holders[ReplicaID(avs: entry.avs, replica: entry.replica)], serve(entry, in: &state))
    }
    drains.resume()
    changed(entry.avs)
    return replaced == entry.performerID ? nil : replaced
  }

  /// Puts a performer that was withdrawn, or left by an earlier daemon, in service again, unless its replica belongs to another
  /// one by now: then returns false and changes nothing. However late it recovers, a performer that was replaced cannot push its
  /// successor out.
  package func republish(_ entry: Entry) -> Bool {
    let drains = state.withLock { state -> Waiters<Void>.Taken? in
      let id = ReplicaID(avs: entry.avs, replica: entry.replica)
      if let holder = state.holders[id], holder != entry.performerID { return nil }
      return serve(entry, in: &state)
    }
    guard let drains else { return false }
    drains.resume()
    changed(entry.avs)
    return true
  }

  private func serve(_ entry: Entry, in state: inout State) -> Waiters<Void>.Taken {
    let previous = state.serving[entry.avs]?[entry.replica]
    if let previous, previous != entry.performerID { Self.withdraw(previous, from: &state) }
    state.holders[ReplicaID(avs: entry.avs, replica: entry.replica)] = entry.performerID
    state.serving[entry.avs, default: [:]][entry.replica] = entry.performerID
    // A performer that comes back in a new container gets a new connection; leases of the old one are void.
    state.lastPublication += 1
    let slot = Slot(
      entry: entry, breaker: CircuitBreaker(rules.breaker(entry.avs)), publication: state.lastPublication)
    state.put(slot)
    return state.drains.take(entry.performerID)
  }

  /// Takes a performer out of service for a while; tasks it holds go on, and its replica stays its own. Does nothing for an
  /// unknown id.
  package func withdraw(performerID: String) {
    state.withLock { Self.withdraw(performerID, from: &$0) }
  }

  /// Takes a performer out of service for good; tasks it holds go on. Does nothing for an unknown id.
  package func retire(performerID: String) {
    state.withLock { state in
      Self.withdraw(performerID, from: &state)
      for (id, holder) in state.holders where holder == performerID { state.holders[id] = nil }
    }
  }

  private static func withdraw(_ performerID: String, from state: inout State) {
    guard let slot = state.slots[performerID] else { return }
    let id = slot.replicaID
    if state.serving[id.avs]?[id.replica] == performerID { state.serving[id.avs]?[id.replica] = nil }
    if slot.leases.isEmpty {
      state.remove(performerID)
    } else {
      state.slots[performerID]?.isDraining = true
    }
  }

  /// Returns once the withdrawn performer holds no task any more, at once if it is not known, and when the caller is cancelled.
  package func drained(performerID: String) async {
    await state.wait(in: \.drains, for: performerID, cancelled: ()) { state in
      state.slots[performerID]?.leases.isEmpty ?? true ? () : nil
    }
  }

  // MARK: Slots

  /// Takes a slot of one of the performers that serve `avs`; nil when none serves, none has a free slot, or all breakers are
  /// open.
  ///
  /// - Parameter mustBeAlone: Whether the task needs a container for itself, given the publications whose containers are there:
  ///   only an idle one will do, and it takes no other task meanwhile.
  package func acquire(_ avs: EthereumAddress, mustBeAlone: (_ present: [UInt64]) -> Bool = { _ in false }) -> Lease? {
    let now = clock.monotonic()
    return state.withLock { state in
      guard let serving = state.serving[avs], !serving.isEmpty else { return nil }
      let present = state.publications[avs] ?? []
      let alone = mustBeAlone(present)
      let candidates = serving.compactMap { replica, id -> LoadBalancing.Candidate? in
        guard let slot = state.slots[id], slot.hasRoom(alone: alone, at: now) else { return nil }
        return LoadBalancing.Candidate(replica: replica, outstanding: slot.leases.count)
      }
      let chosen = rules.balancing(avs).choose(from: candidates, after: state.chosenLast[avs])
      let number = state.nextLease + 1
      guard let chosen, let id = serving[chosen],
        let lease = state.slots[id]?.lease(number: number, alone: alone, present: present, at: now)
      else { return nil }
      (state.chosenLast[avs], state.nextLease) = (chosen, number)
      return lease
    }
  }

  /// Notes that the container of a lease could not be reached. It is known to be gone only some time after the runs in it have
  /// broken off; tasks that are given to it meanwhile fail as well. Say so before the lease is given back.
  package func suspect(_ lease: Lease) {
    state.withLock { state in
      guard state.slots[lease.entry.performerID]?.publication == lease.publication else { return }
      state.slots[lease.entry.performerID]?.isSuspect = true
    }
  }

  /// Gives a slot back, with what the run that had it says about the performer.
  package func release(_ lease: Lease, after outcome: RunOutcome = .unjudged) {
    let id = lease.entry.performerID
    let now = clock.monotonic()
    let (drains, hasOpened) = state.withLock { state -> (Waiters<Void>.Taken?, Bool) in
      guard state.slots[id]?.leases.remove(lease.number) != nil else { return (nil, false) }
      let hasOpened = state.slots[id]?.breaker.record(outcome, of: lease.permit, at: now) ?? false
      state.slots[id]?.isTakenWhole = false
      guard let slot = state.slots[id], slot.leases.isEmpty, slot.isDraining else { return (nil, hasOpened) }
      state.remove(id)
      return (state.drains.take(id), hasOpened)
    }
    drains?.resume()
    if hasOpened { rules.breakerOpened(lease.entry.avs, id) }
    changed(lease.entry.avs)
  }

  /// Says that slots are free where a breaker has been open for long enough. Has to be called at intervals: the passing of time
  /// alone tells nobody.
  package func offerProbes() {
    let now = clock.monotonic()
    let avs = state.withLock { state in
      Set(
        state.slots.values.lazy.filter { $0.breaker.state(at: now) == .halfOpen && $0.breaker.admits(at: now) }.map(\.entry.avs))
    }
    avs.forEach(changed)
  }

  // MARK: Reading

  /// The performers in service: each replica has one at most, whether it serves at the moment or not.
  package var inService: Set<String> {
    state.withLock { Set($0.holders.values) }
  }

  /// Whether a performer serves `avs` now, whatever its load.
  package func isServing(_ avs: EthereumAddress) -> Bool {
    state.withLock { $0.serving[avs]?.isEmpty == false }
  }

  /// Time until the first breaker of the performers that serve `avs` lets a task through; zero when one does now, nil when none
  /// serves.
  package func breakersOpen(_ avs: EthereumAddress) -> Duration? {
    let now = clock.monotonic()
    return state.withLock { state in
      state.serving[avs]?.values.compactMap { state.slots[$0]?.breaker.openFor(at: now) }.min()
    }
  }

  /// Every performer known, for the page, the metrics and readiness.
  package func snapshot() -> [Snapshot] {
    let now = clock.monotonic()
    return state.withLock { state in
      state.slots.values.map { slot in
        Snapshot(
          performerID: slot.entry.performerID, avs: slot.entry.avs, replica: slot.entry.replica,
          capacity: slot.entry.capacity, outstanding: slot.leases.count, isDraining: slot.isDraining,
          breaker: slot.breaker.state(at: now))
      }.sorted { $0.performerID < $1.performerID }
    }
  }
}
