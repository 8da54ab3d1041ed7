import NIOCore
import Testing

@testable import PonosTransport

@Suite("Who may connect, and who makes room")
struct ConnectionTableTests {
  /// Connections of a table, numbered in the order they come.
  private final class Arrivals {
    var table: ConnectionTable
    private(set) var leases: [ConnectionLease] = []

    init(maxConnections: Int, maxPerHost: Int) {
      table = ConnectionTable(maxConnections: maxConnections, maxPerHost: maxPerHost)
    }

    /// What becomes of one more connection of `host`: "in", the number of the one it replaces, or the limit.
    func connect(_ host: UInt32, isBusy: Bool = false) -> String {
      let number = UInt64(leases.count)
      let opened = NIODeadline.uptimeNanoseconds(number + 1)
      let lease = ConnectionLease(number: number, host: .ipv4(host), openedAt: opened) { _ in }
      if isBusy { _ = lease.becomeBusy() }
      leases.append(lease)
      return switch table.admit(lease) {
      case .admitted: "in"
      case .replacing(let other, _): "\(other.number)"
      case .refused(let limit): limit.rawValue
      }
    }
  }

  @Test("a host at its limit replaces its own connection that has been idle for longest, and none that has calls")
  func hostAtItsLimitReplacesItsOwnConnection() {
    let arrivals = Arrivals(maxConnections: 100, maxPerHost: 3)
    let first = (0..<5).map { _ in arrivals.connect(1) }
    #expect(first == ["in", "in", "in", "0", "1"])
    for lease in arrivals.leases { _ = lease.becomeBusy() }
    #expect(arrivals.connect(1) == "connections_per_host")
    #expect(arrivals.connect(2) == "in")
    #expect(arrivals.table.count == 4)
    // The one whose calls ended first.
    arrivals.leases[4].becomeIdle(at: .uptimeNanoseconds(100))
    arrivals.leases[3].becomeIdle(at: .uptimeNanoseconds(101))
    #expect(arrivals.connect(1) == "4")
  }

  @Test("at the ceiling the host that has most makes room, whoever comes")
  func atCeilingHostThatHasMostMakesRoom() {
    let arrivals = Arrivals(maxConnections: 6, maxPerHost: 5)
    let crowd = (0..<4).map { _ in arrivals.connect(1) }
    let others = (2...3).map { arrivals.connect($0) }
    #expect(crowd + others == ["in", "in", "in", "in", "in", "in"])
    #expect(arrivals.connect(4) == "0")
    #expect(arrivals.connect(1) == "1")
    #expect(arrivals.connect(5) == "2")
    #expect(arrivals.table.count == 6)
  }

  @Test("a host whose connections all have calls gives one up for a newcomer, if it takes most of what it may")
  func hostWhoseConnectionsAllHaveCallsGives() {
    let arrivals = Arrivals(maxConnections: 8, maxPerHost: 8)
    for _ in 0..<8 { _ = arrivals.connect(1, isBusy: true) }
    #expect(arrivals.connect(1, isBusy: true) == "connections_per_host")
    #expect(arrivals.connect(2, isBusy: true) == "7")
    #expect(arrivals.connect(2, isBusy: true) == "connections")
    #expect(arrivals.connect(3, isBusy: true) == "6")
  }

  @Test("no more connections are closing at a time than are left room for")
  func noMoreConnectionsAreClosingAtTimeThanAreLeftRoom() {
    let arrivals = Arrivals(maxConnections: 100, maxPerHost: 1)
    let outcomes = (0..<100).map { _ in arrivals.connect(1) }
    let replaced = outcomes.compactMap { Int($0) }
    #expect(outcomes[0] == "in" && replaced == Array(0..<64))
    #expect(outcomes.suffix(35).allSatisfy { $0 == "connections_per_host" })
    // When they have closed there is room again.
    for lease in arrivals.leases.prefix(64) { arrivals.table.remove(lease) }
    #expect(arrivals.connect(1) == "64")
    #expect(arrivals.table.count == 1)
  }

  @Test("a call that begins while its connection is claimed for closing is not begun")
  func callThatBeginsWhileItsConnectionIsClaimed() {
    let arrivals = Arrivals(maxConnections: 10, maxPerHost: 1)
    _ = arrivals.connect(1)
    #expect(arrivals.connect(1) == "0")
    #expect(!arrivals.leases[0].becomeBusy())
    arrivals.leases[0].becomeIdle(at: .now())
    #expect(!arrivals.leases[0].becomeBusy())
    #expect(arrivals.leases[1].becomeBusy())
  }

  @Test("memory is taken back from the host that holds most, its largest connection first, until an eighth is free")
  func memoryIsTakenBackFromHostThatHoldsMost() {
    let arrivals = Arrivals(maxConnections: 100, maxPerHost: 100)
    // One host holds much in many connections, another most in one.
    for _ in 0..<10 { _ = arrivals.connect(1) }
    _ = arrivals.connect(2)
    for (number, lease) in arrivals.leases.enumerated() { lease.reserve(.received, by: number < 10 ? 100 + number : 500) }
    let used = arrivals.leases.reduce(0) { $0 + $1.bytes(.received) }
    let told = arrivals.table.largestHolders(.received, used: used, limit: 1_500)
    #expect(told.map(\.number) == [9, 8, 7])
    // What they are about to let go of is counted already.
    #expect(arrivals.table.largestHolders(.received, used: used, limit: 1_500).isEmpty)
    for lease in told { arrivals.table.didShed(.received, lease) }
    #expect(!arrivals.table.largestHolders(.received, used: used, limit: 1_500).isEmpty)
    #expect(arrivals.table.largestHolders(.unsent, used: 0, limit: 1).isEmpty)
  }
}
