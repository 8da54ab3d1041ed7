import PonosCore
import Synchronization

/// Who serves which AVS right now, and how many more tasks each can take.
///
/// `PerformerService` publishes and withdraws performers; the dispatcher takes and returns slots. A draining performer keeps the
/// tasks it has and gets no new ones.
package final class PerformerRoster: Sendable {
  /// A performer that can be given tasks.
  package struct Entry: Sendable {
    package let performerID: String
    package let avs: EthereumAddress
    /// Tasks at a time, at least 1.
    package let capacity: Int
    package let connection: any PerformerConnection

    package init(performerID: String, avs: EthereumAddress, capacity: Int, connection: any PerformerConnection) {
      self.performerID = performerID
      self.avs = avs
      self.capacity = capacity
      self.connection = connection
    }
  }

  /// One slot of a performer, taken. Give it back with `release`, exactly once.
  package struct Lease: Sendable {
    package let entry: Entry
    /// Rises with every publication: two leases with different ones are of different containers.
    package let publication: UInt64
    /// Whether the container could not be reached before the lease was given: its end is no fault of this lease's task.
    package let isSuspect: Bool
    fileprivate let number: UInt64
  }

  /// What a reader sees of one AVS.
  package struct Snapshot: Sendable, Equatable {
    package let performerID: String
    package let avs: EthereumAddress
    package let capacity: Int
    package let outstanding: Int
    package let isDraining: Bool
  }

  private struct Slot {
    let entry: Entry
    let publication: UInt64
    var leases: Set<UInt64> = []
    /// The one lease there is takes all of the performer.
    var isTakenWhole = false
    /// A run could not reach the container.
    var isSuspect = false
    var isDraining = false
    var drainWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
  }

  private struct State {
    /// The performer each AVS belongs to, whether it serves at the moment or not: the one put in service last.
    var holders: [EthereumAddress: String] = [:]
    /// The serving performer of each AVS.
    var serving: [EthereumAddress: String] = [:]
    /// Serving and draining performers by id.
    var slots: [String: Slot] = [:]
    var lastPublication: UInt64 = 0
    var nextLease: UInt64 = 0
    var nextWaiter: UInt64 = 0
  }

  private let state = Mutex(State())
  private let changed: @Sendable () -> Void

  /// `changed` is called, outside any lock, whenever a slot may have become free or a performer has come.
  package init(changed: @escaping @Sendable () -> Void) {
    self.changed = changed
  }

  /// Gives the AVS of `entry` to its performer and puts that in service. The one that served before, if any, drains from now on.
  package func publish(_ entry: Entry) {
    let voidWaiters = state.withLock { Self.serve(entry, in: &$0) }
    voidWaiters.forEach { $0.resume() }
    changed()
  }

  /// Puts a performer that was withdrawn, or left by an earlier daemon, in service again, unless its AVS belongs to another one
  /// by now: then returns false and changes nothing. However late it recovers, a performer that was replaced cannot push its
  /// successor out.
  package func republish(_ entry: Entry) -> Bool {
    let voidWaiters = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
      if let holder = state.holders[entry.avs], holder != entry.performerID { return nil }
      return Self.serve(entry, in: &state)
    }
    guard let voidWaiters else { return false }
    voidWaiters.forEach { $0.resume() }
    changed()
    return true
  }

  private static func serve(_ entry: Entry, in state: inout State) -> [CheckedContinuation<Void, Never>] {
    if let previous = state.serving[entry.avs], previous != entry.performerID { withdraw(previous, from: &state) }
    state.holders[entry.avs] = entry.performerID
    state.serving[entry.avs] = entry.performerID
    // A performer that comes back in a new container gets a new connection; leases of the old one are void.
    state.lastPublication += 1
    let slot = Slot(entry: entry, publication: state.lastPublication)
    let replaced = state.slots.updateValue(slot, forKey: entry.performerID)
    return replaced.map { Array($0.drainWaiters.values) } ?? []
  }

  /// Takes a performer out of service for a while; tasks it holds go on, and its AVS stays its own. Does nothing for an unknown
  /// id.
  package func withdraw(performerID: String) {
    state.withLock { Self.withdraw(performerID, from: &$0) }
  }

  /// Takes a performer out of service for good; tasks it holds go on. Does nothing for an unknown id.
  package func retire(performerID: String) {
    state.withLock { state in
      Self.withdraw(performerID, from: &state)
      for (avs, holder) in state.holders where holder == performerID { state.holders[avs] = nil }
    }
  }

  private static func withdraw(_ performerID: String, from state: inout State) {
    guard let slot = state.slots[performerID] else { return }
    if state.serving[slot.entry.avs] == performerID { state.serving[slot.entry.avs] = nil }
    if slot.leases.isEmpty {
      state.slots[performerID] = nil
    } else {
      state.slots[performerID]?.isDraining = true
    }
  }

  /// Returns once the withdrawn performer holds no task any more, at once if it is not known, and when the caller is cancelled.
  package func drained(performerID: String) async {
    let waiter = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state in
          guard !Task.isCancelled, let slot = state.slots[performerID], !slot.leases.isEmpty else { return true }
          state.slots[performerID]?.drainWaiters[waiter] = continuation
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.slots[performerID]?.drainWaiters.removeValue(forKey: waiter) }?.resume()
    }
  }

  /// Takes a slot of the performer that serves `avs`; nil when there is none, or none free.
  ///
  /// - Parameter mustBeAlone: Whether the task needs the container of this publication for itself: only an idle one will do, and
  ///   it takes no other task meanwhile.
  package func acquire(_ avs: EthereumAddress, mustBeAlone: (_ publication: UInt64) -> Bool = { _ in false }) -> Lease? {
    state.withLock { state in
      guard let id = state.serving[avs], let slot = state.slots[id], !slot.isTakenWhole else { return nil }
      let alone = mustBeAlone(slot.publication)
      guard slot.leases.count < (alone ? 1 : slot.entry.capacity) else { return nil }
      state.nextLease += 1
      state.slots[id]?.leases.insert(state.nextLease)
      state.slots[id]?.isTakenWhole = alone
      return Lease(
        entry: slot.entry, publication: slot.publication, isSuspect: slot.isSuspect, number: state.nextLease)
    }
  }

  /// Notes that the container of a lease could not be reached. It is known to be gone only some time after the runs in it have broken
  /// off; tasks that are given to it meanwhile fail as well. Say so before the lease is given back.
  package func suspect(_ lease: Lease) {
    state.withLock { state in
      guard state.slots[lease.entry.performerID]?.publication == lease.publication else { return }
      state.slots[lease.entry.performerID]?.isSuspect = true
    }
  }

  /// Gives a slot back.
  package func release(_ lease: Lease) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      let id = lease.entry.performerID
      guard state.slots[id]?.leases.remove(lease.number) != nil, let slot = state.slots[id] else { return [] }
      state.slots[id]?.isTakenWhole = false
      guard slot.leases.isEmpty, slot.isDraining else { return [] }
      state.slots[id] = nil
      return Array(slot.drainWaiters.values)
    }
    waiters.forEach { $0.resume() }
    changed()
  }

  /// Whether a performer serves `avs` now, whatever its load.
  package func isServing(_ avs: EthereumAddress) -> Bool {
    state.withLock { $0.serving[avs] != nil }
  }

  /// Every performer known, for the page, the metrics and readiness.
  package func snapshot() -> [Snapshot] {
    state.withLock { state in
      state.slots.values.map { slot in
        Snapshot(
          performerID: slot.entry.performerID, avs: slot.entry.avs, capacity: slot.entry.capacity,
          outstanding: slot.leases.count, isDraining: slot.isDraining)
      }.sorted { $0.performerID < $1.performerID }
    }
  }
}
