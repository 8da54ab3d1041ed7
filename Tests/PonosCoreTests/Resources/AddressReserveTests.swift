import Testing
@testable import PonosCore

@Suite("The address reserve")
struct AddressReserveTests {
  @Test("gives a name the same subnet until it is taken, then the next")
  func givesNameTheSameSubnetUntilItIsTaken() throws {
    let all = AddressReserve.candidates(for: "ponos-0123456789", notIn: [], limit: .max)
    #expect(all.count == 1024 && Set(all).count == 1024)
    #expect(all.allSatisfy { $0.prefix == 25 && IPv4Subnet(base: 0xc612_0000, prefix: 15).overlaps($0) })
    let rest = AddressReserve.candidates(for: "ponos-0123456789", notIn: [all[0], all[2]], limit: 2)
    #expect(rest == [all[1], all[3]])
    #expect(AddressReserve.candidates(for: "ponos-abcdef012", notIn: [], limit: 1) != Array(all.prefix(1)))
  }

  @Test("leaves alone what the host has routes to, and is empty on a host that uses all of it")
  func leavesAloneWhatHostHasRoutesTo() {
    let half = IPv4Subnet(base: 0xc612_0000, prefix: 16)
    let left = AddressReserve.candidates(for: "n", notIn: [half], limit: .max)
    #expect(left.count == 512 && left.allSatisfy { !$0.overlaps(half) })
    #expect(AddressReserve.candidates(for: "n", notIn: [IPv4Subnet(base: 0xc600_0000, prefix: 8)], limit: 1).isEmpty)
  }

  @Test(
    "subnets overlap when one holds the other",
    arguments: [
      ("10.1.0.0/16", 0x0a01_0000, 16, true), ("10.1.2.0/24", 0x0a01_0200, 24, true), ("10.2.0.0/16", 0x0a02_0000, 16, false),
      ("0.0.0.0/0", 0, 0, true),
    ] as [(String, UInt32, Int, Bool)])
  func subnetsOverlapWhenOneHoldsOther(text: String, base: UInt32, prefix: Int, overlaps: Bool) {
    let subnet = IPv4Subnet(base: base, prefix: prefix)
    #expect("\(subnet)" == text)
    #expect(subnet.overlaps(IPv4Subnet(base: 0x0a01_0203, prefix: 26)) == overlaps)
    #expect(IPv4Subnet(base: 0x0a01_0203, prefix: 26).overlaps(subnet) == overlaps)
  }

  @Test("routes are read as the kernel writes them, but for the one to everywhere")
  func routesAreReadAsKernelWritesThem() {
    let text = """
      Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
      eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
      docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
      ponos-0\t400412C6\t00000000\t0001\t0\t0\t0\tC0FFFFFF\t0\t0\t0
      broken
      """
    #expect(IPv4Subnet.routed(by: text).map(\.description) == ["172.17.0.0/16", "198.18.4.64/26"])
  }
}
