/// Addresses for performers' networks on an engine whose own address pools are used up.
///
/// They lie in 198.18.0.0/15, which RFC 2544 sets aside for tests of networks, so that nothing else should be there.
package enum AddressReserve {
  private static let base: UInt32 = 0xc612_0000
  private static let prefix = 15
  /// Networks of 128 addresses: room for the 64 replicas an AVS may have, old and new ones while they are replaced one by one.
  private static let networkPrefix = 25
  /// Networks there is room for.
  package static let count = 1 << (networkPrefix - prefix)

  /// Subnets to try for the network called `name`, the same for the same name until they are taken; none that overlaps `routed`.
  ///
  /// - Parameter limit: How many at the most.
  package static func candidates(for name: String, notIn routed: [IPv4Subnet], limit: Int) -> [IPv4Subnet] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    let first = Int(hash % UInt64(count))
    let subnets = (0..<count).lazy.map { offset in
      IPv4Subnet(base: base + UInt32((first + offset) % count) << UInt32(32 - networkPrefix), prefix: networkPrefix)
    }
    return Array(subnets.filter { subnet in !routed.contains { $0.overlaps(subnet) } }.prefix(limit))
  }
}
