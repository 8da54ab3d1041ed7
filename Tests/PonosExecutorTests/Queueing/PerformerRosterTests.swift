import PonosContainers
import PonosContainersTesting
import PonosCore
import PonosTesting
import Synchronization
import Testing

@Suite("Performer roster")
struct PerformerRosterTests {
  static let avs = PipelineRig.avs

  private func entry(_ id: String, capacity: Int = 2, avs: EthereumAddress = Self.avs) -> PerformerRoster.Entry {
    .init(performerID: id, avs: avs, capacity: capacity, connection: FakePerformer.echo())
  }

  private func roster() -> PerformerRoster { PerformerRoster { _ in } }

  @Test("gives as many slots as the performer takes, and takes them back")
  func givesAsManySlotsAsPerformerTakes() throws {
    let roster = roster()
    #expect(roster.acquire(Self.avs) == nil)
    #expect(!roster.isServing(Self.avs))
    roster.publish(entry("one"))
    let first = try #require(roster.acquire(Self.avs))
    let second = try #require(roster.acquire(Self.avs))
    #expect(first.entry.performerID == "one")
    #expect(roster.acquire(Self.avs) == nil)
    #expect(roster.acquire(PipelineRig.otherAVS) == nil)
    roster.release(first)
    roster.release(first)
    let third = try #require(roster.acquire(Self.avs))
    #expect(roster.acquire(Self.avs) == nil, "a slot given back twice is one slot")
    roster.release(second)
    roster.release(third)
    #expect(roster.snapshot().map(\.outstanding) == [0])
  }

  @Test("a task that must run alone waits for an idle performer and has all of it")
  func taskThatMustRunAloneWaitsForIdlePerformer() throws {
    let roster = roster()
    roster.publish(entry("one"))
    let shared = try #require(roster.acquire(Self.avs))
    #expect(roster.acquire(Self.avs, mustBeAlone: { _ in true }) == nil)
    roster.release(shared)
    let whole = try #require(roster.acquire(Self.avs, mustBeAlone: { _ in true }))
    #expect(roster.acquire(Self.avs) == nil)
    #expect(roster.acquire(Self.avs, mustBeAlone: { _ in true }) == nil)
    roster.release(whole)
    #expect(roster.acquire(Self.avs) != nil)
    #expect(roster.acquire(Self.avs) != nil)
  }

  @Test("a container that replaces another one has a publication of its own")
  func containerThatReplacesAnotherOneHasPublication() throws {
    let roster = roster()
    roster.publish(entry("one"))
    let first = try #require(roster.acquire(Self.avs))
    #expect(try #require(roster.acquire(Self.avs)).publication == first.publication)
    roster.publish(entry("one"))
    var asked: [[UInt64]] = []
    let second = try #require(
      roster.acquire(Self.avs) { present in
        asked.append(present)
        return false
      })
    #expect(second.publication > first.publication)
    #expect(asked == [[second.publication]])
  }

  @Test("a new performer takes over at once; the old one keeps what it has and drains")
  func newPerformerTakesOverAtOnce() async throws {
    let roster = roster()
    roster.publish(entry("old"))
    let lease = try #require(roster.acquire(Self.avs))
    roster.publish(entry("new"))
    #expect(try #require(roster.acquire(Self.avs)).entry.performerID == "new")
    #expect(roster.snapshot().map(\.performerID) == ["new", "old"])
    #expect(roster.snapshot().map(\.isDraining) == [false, true])
    let drained = Mutex(false)
    let waiting = Task {
      await roster.drained(performerID: "old")
      drained.withLock { $0 = true }
    }
    await Task.yield()
    #expect(!drained.withLock { $0 })
    roster.release(lease)
    await waiting.value
    #expect(roster.snapshot().map(\.performerID) == ["new"])
    await roster.drained(performerID: "old")
    await roster.drained(performerID: "never known")
  }

  @Test("a performer that was replaced cannot come back, whether its successor serves or is away itself")
  func performerThatWasReplacedCannotComeBack() throws {
    let roster = roster()
    #expect(roster.republish(entry("old")), "an AVS that is nobody's")
    roster.withdraw(performerID: "old")
    roster.publish(entry("new"))
    #expect(!roster.republish(entry("old")))
    #expect(roster.acquire(Self.avs)?.entry.performerID == "new")
    roster.withdraw(performerID: "new")
    #expect(!roster.republish(entry("old")))
    #expect(!roster.isServing(Self.avs))
    roster.retire(performerID: "old")
    #expect(roster.republish(entry("new")))
    #expect(roster.acquire(Self.avs)?.entry.performerID == "new")
    roster.retire(performerID: "new")
    #expect(roster.republish(entry("third")), "what is retired leaves its AVS to whoever comes")
  }

  @Test("an idle performer that is replaced is gone at once")
  func idlePerformerThatIsReplacedIsGoneAtOnce() {
    let roster = roster()
    roster.publish(entry("old"))
    roster.publish(entry("new"))
    #expect(roster.snapshot().map(\.performerID) == ["new"])
  }

  @Test("a withdrawn performer gets no tasks, and may come back")
  func withdrawnPerformerGetsNoTasks() throws {
    let roster = roster()
    roster.publish(entry("one"))
    roster.withdraw(performerID: "one")
    roster.withdraw(performerID: "never known")
    #expect(roster.acquire(Self.avs) == nil)
    #expect(!roster.isServing(Self.avs))
    roster.publish(entry("one"))
    #expect(roster.acquire(Self.avs) != nil)
  }

  @Test("withdrawing a drained predecessor leaves its successor in service")
  func withdrawingDrainedPredecessorLeavesItsSuccessor() throws {
    let roster = roster()
    roster.publish(entry("old"))
    let lease = try #require(roster.acquire(Self.avs))
    roster.publish(entry("new"))
    roster.withdraw(performerID: "old")
    #expect(roster.isServing(Self.avs))
    roster.release(lease)
    #expect(try #require(roster.acquire(Self.avs)).entry.performerID == "new")
  }

  @Test("a performer back in a new container has all its slots; what its old container held does not count")
  func performerBackInNewContainerHasAllItsSlots() async throws {
    let roster = roster()
    roster.publish(entry("one"))
    let old = [try #require(roster.acquire(Self.avs)), try #require(roster.acquire(Self.avs))]
    roster.withdraw(performerID: "one")
    async let drained: Void = roster.drained(performerID: "one")
    roster.publish(entry("one"))
    await drained
    let new = try #require(roster.acquire(Self.avs))
    #expect(roster.acquire(Self.avs) != nil)
    old.forEach { roster.release($0) }
    #expect(roster.acquire(Self.avs) == nil, "slots of the old container must not free slots of the new one")
    roster.release(new)
    #expect(roster.acquire(Self.avs) != nil)
  }

  @Test("says so whenever a slot may be free")
  func saysSoWheneverSlotMayBeFree() throws {
    let count = Mutex(0)
    let roster = PerformerRoster { _ in count.withLock { $0 += 1 } }
    roster.publish(entry("one"))
    #expect(count.withLock { $0 } == 1)
    let lease = try #require(roster.acquire(Self.avs))
    #expect(count.withLock { $0 } == 1)
    roster.release(lease)
    #expect(count.withLock { $0 } == 2)
  }

  @Test("under many hands no more slots are out than there are, and all come back")
  func underManyHandsNoMoreSlotsAreOutThanThereAre() async {
    let roster = roster()
    roster.publish(entry("one", capacity: 3))
    let out = SlotsOut()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<16 {
        group.addTask {
          for _ in 0..<200 {
            guard let lease = roster.acquire(Self.avs) else {
              await Task.yield()
              continue
            }
            out.take()
            await Task.yield()
            out.giveBack()
            roster.release(lease)
          }
        }
      }
    }
    #expect((1...3).contains(out.most))
    #expect(roster.snapshot().map(\.outstanding) == [0])
  }
}

/// Counts slots that are out, and remembers the most there were.
private final class SlotsOut: Sendable {
  private let state = Mutex((now: 0, most: 0))

  var most: Int { state.withLock { $0.most } }

  func take() {
    state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
  }

  func giveBack() {
    state.withLock { $0.now -= 1 }
  }
}
