import PonosContainers
import PonosContainersTesting
import PonosCore
import PonosTesting
import Synchronization
import Testing

@Suite("Replicas and circuit breakers in the roster")
struct ReplicaTests {
  static let avs = PipelineRig.avs

  private func entry(_ id: String, replica: Int, capacity: Int = 4) -> PerformerRoster.Entry {
    .init(performerID: id, avs: Self.avs, replica: replica, capacity: capacity, connection: FakePerformer.echo())
  }

  private func roster(
    _ balancing: LoadBalancing = .leastOutstanding, breaker: CircuitBreaker.Settings = .init(consecutiveFailures: nil),
    clock: TestClock = TestClock(), opened: @escaping @Sendable (String) -> Void = { _ in },
    changed: @escaping @Sendable (EthereumAddress) -> Void = { _ in }
  ) -> PerformerRoster {
    PerformerRoster(
      rules: .init(balancing: { _ in balancing }, breaker: { _ in breaker }, breakerOpened: { opened($1) }),
      clock: clock.taskClock, changed: changed)
  }

  @Test("replicas serve side by side, and each new performer takes the seat of the one it replaces")
  func replicasServeSideBySide() throws {
    let roster = roster()
    roster.publish(entry("a0", replica: 0))
    roster.publish(entry("a1", replica: 1))
    #expect(roster.snapshot().map(\.performerID) == ["a0", "a1"])
    roster.publish(entry("b0", replica: 0))
    #expect(roster.snapshot().map(\.performerID) == ["a1", "b0"])
    #expect(!roster.republish(entry("a0", replica: 0)))
    roster.withdraw(performerID: "a1")
    #expect(roster.isServing(Self.avs))
    #expect(roster.acquire(Self.avs)?.entry.performerID == "b0")
    #expect(roster.republish(entry("a1", replica: 1)))
    roster.withdraw(performerID: "b0")
    roster.withdraw(performerID: "a1")
    #expect(!roster.isServing(Self.avs))
    #expect(roster.acquire(Self.avs) == nil)
  }

  @Test("tasks go to the idlest replica, and no replica gets more than it takes")
  func tasksGoToIdlestReplica() throws {
    let roster = roster()
    for replica in 0..<3 { roster.publish(entry("\(replica)", replica: replica, capacity: 2)) }
    var leases = (0..<6).compactMap { _ in roster.acquire(Self.avs) }
    #expect(leases.map(\.entry.performerID) == ["0", "1", "2", "0", "1", "2"])
    #expect(roster.acquire(Self.avs) == nil)
    roster.release(leases.remove(at: 4))
    #expect(roster.acquire(Self.avs)?.entry.performerID == "1")
  }

  @Test("in turn: each replica after the other, passing over full ones")
  func inTurnEachReplicaAfterOther() throws {
    let roster = roster(.roundRobin)
    roster.publish(entry("0", replica: 0, capacity: 1))
    roster.publish(entry("1", replica: 1, capacity: 3))
    roster.publish(entry("2", replica: 2, capacity: 3))
    let order = (0..<7).compactMap { _ in roster.acquire(Self.avs)?.entry.performerID }
    #expect(order == ["0", "1", "2", "1", "2", "1", "2"])
  }

  @Test("a task that must be alone goes to an idle replica while others are busy")
  func taskThatMustBeAloneGoesToIdleReplicaWhileOthers() throws {
    let roster = roster()
    roster.publish(entry("0", replica: 0))
    roster.publish(entry("1", replica: 1))
    let shared = try #require(roster.acquire(Self.avs))
    let alone = try #require(roster.acquire(Self.avs, mustBeAlone: { _ in true }))
    #expect(shared.entry.performerID == "0" && alone.entry.performerID == "1")
    #expect(roster.acquire(Self.avs, mustBeAlone: { _ in true }) == nil)
    #expect(roster.acquire(Self.avs)?.entry.performerID == "0")
  }

  @Test("a task that runs at another replica has lost no container, one whose container was replaced has")
  func taskThatRunsAtAnotherReplicaHasLostNoContainer() throws {
    let roster = roster(.roundRobin)
    roster.publish(entry("0", replica: 0))
    roster.publish(entry("1", replica: 1))
    let (first, second) = (try #require(roster.acquire(Self.avs)), try #require(roster.acquire(Self.avs)))
    #expect(first.publication != second.publication)
    #expect(second.present.contains(first.publication))
    roster.publish(entry("0", replica: 0))
    let third = try #require(roster.acquire(Self.avs))
    #expect(!third.present.contains(first.publication) && third.present.contains(second.publication))
  }

  @Test("a replica that fails its tasks gets none until its time is over, then a probe; the others serve on")
  func replicaThatFailsItsTasksGetsNoneUntilItsTime() throws {
    let clock = TestClock()
    let opened = Mutex<[String]>([])
    let changes = Mutex(0)
    let roster = roster(
      breaker: .init(consecutiveFailures: 2, openTime: .seconds(10)), clock: clock,
      opened: { id in opened.withLock { $0.append(id) } }, changed: { _ in changes.withLock { $0 += 1 } })
    roster.publish(entry("good", replica: 0, capacity: 1))
    roster.publish(entry("bad", replica: 1))
    let good = try #require(roster.acquire(Self.avs))
    for _ in 1...2 {
      let lease = try #require(roster.acquire(Self.avs))
      #expect(lease.entry.performerID == "bad")
      roster.release(lease, after: .failed)
    }
    #expect(opened.withLock(\.self) == ["bad"])
    #expect(roster.snapshot().map(\.breaker) == [.open, .closed])
    #expect(roster.acquire(Self.avs) == nil, "the good one is full")
    #expect(roster.breakersOpen(Self.avs) == .zero, "the good one serves")
    roster.release(good)

    let before = changes.withLock(\.self)
    roster.offerProbes()
    #expect(changes.withLock(\.self) == before)
    clock.advance(by: .seconds(10))
    roster.offerProbes()
    #expect(changes.withLock(\.self) == before + 1)
    let taken = (0..<2).compactMap { _ in roster.acquire(Self.avs) }
    #expect(Set(taken.map(\.entry.performerID)) == ["good", "bad"])
    #expect(roster.acquire(Self.avs) == nil, "one probe at a time")
    for lease in taken { roster.release(lease, after: .answered) }
    #expect(roster.snapshot().map(\.breaker) == [.closed, .closed])
  }

  @Test("while all its breakers are open an AVS is not ready, and says for how long; a new container begins anew")
  func whileAllItsBreakersAreOpenAVSIsNotReady() throws {
    let clock = TestClock()
    let roster = roster(breaker: .init(consecutiveFailures: 1, openTime: .seconds(10)), clock: clock)
    #expect(roster.breakersOpen(Self.avs) == nil)
    roster.publish(entry("one", replica: 0))
    roster.release(try #require(roster.acquire(Self.avs)), after: .failed)
    clock.advance(by: .seconds(4))
    #expect(roster.breakersOpen(Self.avs) == .seconds(6))
    #expect(roster.acquire(Self.avs) == nil)
    roster.publish(entry("one", replica: 0))
    #expect(roster.breakersOpen(Self.avs) == .zero)
    #expect(roster.acquire(Self.avs) != nil)
  }
}
