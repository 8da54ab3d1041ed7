import GRPCCore
import Testing

@testable import PonosTransport

@Suite("Connection pool")
struct ConnectionPoolStateTests {
  struct Connection: PooledConnection, Equatable {
    var id: String
    var lane = 0
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
  func firstAttempt() {
    var pool = Pool()
    let waiting = [
      Self.name(pool.pick(Self.impatient, number: 1, waiter: 1)), Self.name(pool.pick(Self.patient, number: 2, waiter: 2)),
    ]
    #expect(waiting == ["wait", "wait"])
    let failed = pool.connectFailed(lane: 0, Self.failure)
    #expect(failed == [1])
    let later = [Self.name(pool.pick(Self.impatient)), Self.name(pool.pick(Self.patient))]
    #expect(later == ["unavailable", "wait"])
    let served = pool.add(Connection(id: "a"))
    #expect(served == [2])
  }

  @Test("connections take turns, and one that has gone is not used")
  func turns() {
    var pool = Pool()
    for (lane, name) in ["a", "b"].enumerated() { _ = pool.add(Connection(id: name, lane: lane)) }
    let used = Set((0..<4).map { _ in Self.name(pool.pick(Self.impatient)) })
    #expect(used == ["a", "b"])
    pool.remove("a")
    let left = Self.name(pool.pick(Self.impatient))
    #expect(left == "b")
  }

  @Test("a call that needs a certain lane waits for that lane, and fails with it")
  func lanes() {
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
    let others = pool.add(Connection(id: "c", lane: 2))
    let served = pool.add(Connection(id: "b", lane: 1))
    #expect(others == [] && served == [1])
    let found = Self.name(pool.pick(impatient))
    #expect(found == "b")
  }

  @Test("a call that gives up is not served, and a closed pool serves nobody")
  func closing() {
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
  }
}
