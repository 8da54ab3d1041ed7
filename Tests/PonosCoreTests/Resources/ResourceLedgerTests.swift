import PonosCore
import Testing

@Suite("Resource ledger")
struct ResourceLedgerTests {
  private let avs = EthereumAddress([UInt8](repeating: 1, count: 20))!
  private let other = EthereumAddress([UInt8](repeating: 2, count: 20))!

  private func reservation(_ avs: EthereumAddress, memory: Int64 = 1 << 30, cpus: Double = 1) -> ResourceLedger.Reservation {
    ResourceLedger.Reservation(avs: avs, limits: ResourceLimits(memoryBytes: memory, cpus: cpus))
  }

  @Test("refuses a performer for which the whole host is too small, with the reason, and reserves nothing for it")
  func refusesWhatIsTooLarge() {
    var ledger = ResourceLedger(capacity: HostCapacity(memoryBytes: 4 << 30, cpus: 2))
    guard case .tooLarge(let reason) = ledger.reserve(reservation(avs, cpus: 3), for: "a") else {
      Issue.record("three cores are reserved on a host with two")
      return
    }
    #expect(reason.contains("resources.cpus is 3.0"))
    #expect(ledger.hasRefused(avs) && !ledger.hasRefused(other) && ledger.reservations.isEmpty)
  }

  @Test("reserves ceilings: together they may exceed what the host has")
  func reservesCeilingsTogetherTheyMayExceedWhatHostHas() {
    var ledger = ResourceLedger(capacity: HostCapacity(memoryBytes: 4 << 30, cpus: 2))
    for id in ["a", "b", "c"] { #expect(ledger.reserve(reservation(avs, memory: 3 << 30), for: id) == .fits) }
    #expect(ledger.reservations.count == 3)
  }

  @Test("forgets a refusal once the performer fits, is there already, or is given up")
  func forgetsRefusalOncePerformerFits() {
    let changes: [(inout ResourceLedger) -> Void] = [
      { ledger in
        ledger.capacity = HostCapacity(memoryBytes: 4 << 30, cpus: 4)
        #expect(ledger.reserve(reservation(avs, cpus: 3), for: "a") == .fits)
      },
      { $0.hold(reservation(avs, cpus: 3), for: "a") },
      { $0.release("a") },
    ]
    for (number, change) in changes.enumerated() {
      var ledger = ResourceLedger(capacity: HostCapacity(memoryBytes: 4 << 30, cpus: 2))
      _ = ledger.reserve(reservation(avs, cpus: 3), for: "a")
      change(&ledger)
      #expect(!ledger.hasRefused(avs), "change \(number)")
    }
  }

  @Test("drops the reservation of a performer that does not fit any more, and of one that is released")
  func dropsReservationOfPerformerThatDoesNotFitAnyMore() {
    var ledger = ResourceLedger()
    #expect(ledger.reserve(reservation(avs), for: "a") == .fits, "an unknown host has enough of everything")
    #expect(ledger.reserve(reservation(other), for: "b") == .fits)
    ledger.capacity = HostCapacity(memoryBytes: 1 << 20, cpus: 1)
    _ = ledger.reserve(reservation(avs), for: "a")
    #expect(Set(ledger.reservations.keys) == ["b"])
    ledger.release("b")
    #expect(ledger.reservations.isEmpty)
  }
}
