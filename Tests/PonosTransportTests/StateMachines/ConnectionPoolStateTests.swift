import GRPCCore
import Synchronization
import Testing

@testable import PonosTransport

@Suite("Connection pool")
struct ConnectionPoolStateTests {
  struct Connection: PooledConnection, Equatable {
    var id: String
    var lane = 0
    var callLimit = 1_000
  }

  typealias Pool = ConnectionPoolState<Connection, Int>

  static let patient = Pool.Wish(waitsForReady: true)
  static let impatient = Pool.Wish(waitsForReady: false)
  static let failure = RPCError(code: .unavailable, message: "no")

  static func name(_ decision: Pool.Decision) -> String {
    switch decision {
    case .use(let connection): connection.id
    case .fail(let error): "\(error.code)"
    case .wait: "wait"
    }
  }

  @Test("calls wait for the first attempt; when it fails, only the patient ones wait on")
  func callsWaitForFirstAttempt() {
    var pool = Pool()
    let waiting = [
      Self.name(pool.pick(Self.impatient, number: 1, waiter: 1)), Self.name(pool.pick(Self.patient, number: 2, waiter: 2)),
    ]
    #expect(waiting == ["wait", "wait"])
    let failed = pool.connectFailed(lane: 0, Self.failure)
    #expect(failed == [1])
    let later = [Self.name(pool.pick(Self.impatient)), Self.name(pool.pick(Self.patient))]
    #expect(later == ["unavailable", "wait"])
    let served = pool.add(Connection(id: "a"))?.map(\.waiter)
    #expect(served == [2])
  }

  @Test("connections take turns, and one that has gone is not used")
  func connectionsTakeTurns() {
    var pool = Pool()
    for (lane, name) in ["a", "b"].enumerated() { _ = pool.add(Connection(id: name, lane: lane)) }
    let used = Set((0..<4).map { _ in Self.name(pool.pick(Self.impatient)) })
    #expect(used == ["a", "b"])
    pool.remove("a")
    let left = Self.name(pool.pick(Self.impatient))
    #expect(left == "b")
  }

  @Test("a call that needs a certain lane waits for that lane, and fails with it")
  func callThatNeedsCertainLaneWaitsForThatLane() {
    var pool = Pool()
    _ = pool.add(Connection(id: "a", lane: 0))
    let patient = Pool.Wish(waitsForReady: true, lane: 1)
    let impatient = Pool.Wish(waitsForReady: false, lane: 1)
    let waiting = [
      Self.name(pool.pick(patient, number: 1, waiter: 1)), Self.name(pool.pick(impatient, number: 2, waiter: 2)),
      Self.name(pool.pick(Self.impatient)),
    ]
    #expect(waiting == ["wait", "wait", "a"])
    let failed = pool.connectFailed(lane: 1, Self.failure)
    #expect(failed == [2])
    let others = pool.add(Connection(id: "c", lane: 2))?.map(\.waiter)
    let served = pool.add(Connection(id: "b", lane: 1))?.map(\.waiter)
    #expect(others == [] && served == [1])
    let found = Self.name(pool.pick(impatient))
    #expect(found == "b")
  }

  @Test("a call that gives up is not served, and a closed pool serves nobody")
  func callThatGivesUpIsNotServed() {
    var pool = Pool()
    for number in 1...2 { _ = pool.pick(Self.patient, number: UInt64(number), waiter: number) }
    let cancelled = [pool.cancel(1), pool.cancel(1)]
    #expect(cancelled == [1, nil])
    let closed = pool.close()
    #expect(closed.unserved == [2] && closed.connections == [])
    let afterwards = Self.name(pool.pick(Self.patient))
    #expect(afterwards == "failedPrecondition")
    let late = pool.add(Connection(id: "late"))
    #expect(late == nil)
    let growth = pool.grow()
    #expect(growth == nil)
  }

  static func served(_ services: [Pool.Service]?) -> [String] {
    (services ?? []).map { "\($0.waiter) by \($0.connection.id)" }
  }

  @Test("calls beyond what a connection carries wait, in order, until another ends")
  func callsBeyondWhatConnectionCarriesWait() {
    var pool = Pool()
    _ = pool.add(Connection(id: "a", callLimit: 2))
    let picked = (1...4).map { Self.name(pool.pick(Self.impatient, number: UInt64($0), waiter: $0)) }
    #expect(picked == ["a", "a", "wait", "wait"])
    // A connection there is may fail to be opened a second time without harm to who waits for room on it.
    let failed = pool.connectFailed(lane: 0, Self.failure)
    #expect(failed == [])
    let services = [pool.callEnded(on: "a"), pool.callEnded(on: "gone"), pool.callEnded(on: "a"), pool.callEnded(on: "a")]
    #expect(services.map(Self.served) == [["3 by a"], [], ["4 by a"], []])
    let next = Self.name(pool.pick(Self.impatient))
    #expect(next == "a")
  }

  @Test("a connection more is opened at a time while calls wait for room, up to the limit; it is used after the others")
  func connectionMoreIsOpenedAtTimeWhileCallsWait() {
    var pool = Pool(lanes: 1, maxConnections: 3)
    _ = pool.pick(Self.patient, number: 1, waiter: 1)
    let withoutAny = pool.grow()
    #expect(withoutAny == nil)
    let first = pool.add(Connection(id: "a", callLimit: 1))
    #expect(Self.served(first) == ["1 by a"])
    for number in 2...5 { _ = pool.pick(Self.impatient, number: UInt64(number), waiter: number) }
    let asked = [pool.grow(), pool.grow()]
    #expect(asked == [0, nil])
    let second = pool.add(Connection(id: "b", callLimit: 1), isExtra: true)
    let askedAgain = pool.didGrow()
    #expect(Self.served(second) == ["2 by b"] && askedAgain == 0)
    let third = pool.add(Connection(id: "c", callLimit: 1), isExtra: true)
    let askedTooOften = pool.didGrow()
    #expect(Self.served(third) == ["3 by c"] && askedTooOften == nil)
    let freed = [pool.callEnded(on: "b"), pool.callEnded(on: "c"), pool.callEnded(on: "a"), pool.callEnded(on: "c")]
    #expect(freed.map(Self.served) == [["4 by b"], ["5 by c"], [], []])
    let names = (0..<2).map { _ in Self.name(pool.pick(Self.impatient)) }
    #expect(names == ["a", "c"])
  }

  @Test("a peer that allows more serves the calls that wait with the next one that ends")
  func peerThatAllowsMoreServesCallsThatWaitWithNext() {
    final class Limit: Sendable {
      let value = Mutex(1)
    }
    struct Elastic: PooledConnection {
      let id = 1
      let lane = 0
      let limit: Limit
      var callLimit: Int { limit.value.withLock { $0 } }
    }
    let limit = Limit()
    var pool = ConnectionPoolState<Elastic, Int>()
    _ = pool.add(Elastic(limit: limit))
    for number in 1...4 { _ = pool.pick(.init(waitsForReady: false), number: UInt64(number), waiter: number) }
    limit.value.withLock { $0 = 2 }
    let served = pool.callEnded(on: 1).map(\.waiter)
    #expect(served == [2, 3])
  }
}
