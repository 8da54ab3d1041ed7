/// A range of IPv4 addresses, such as `198.18.4.64/26`.
package struct IPv4Subnet: Hashable, Sendable, CustomStringConvertible {
  /// The first address.
  package let base: UInt32
  /// Bits that all its addresses have in common: 0…32.
  package let prefix: Int

  /// - Parameter base: Any of its addresses.
  package init(base: UInt32, prefix: Int) {
    self.prefix = min(max(prefix, 0), 32)
    self.base = base & Self.mask(self.prefix)
  }

  /// Whether the two have an address in common.
  package func overlaps(_ other: IPv4Subnet) -> Bool {
    let mask = Self.mask(min(prefix, other.prefix))
    return base & mask == other.base & mask
  }

  package var description: String {
    let bytes = [24, 16, 8, 0].map { String((base >> UInt32($0)) & 0xff) }
    return "\(bytes.joined(separator: "."))/\(prefix)"
  }

  private static func mask(_ prefix: Int) -> UInt32 { prefix == 0 ? 0 : ~0 << UInt32(32 - prefix) }
}

extension IPv4Subnet {
  /// Where the routes of a host lead, but for the one to everywhere: the text of Linux's `/proc/net/route`. Lines that cannot be read
  /// are left out.
  package static func routed(by text: String) -> [IPv4Subnet] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
      // Hexadecimal, as the numbers lie in the memory of a little-endian machine.
      guard fields.count > 7, let destination = UInt32(fields[1], radix: 16), let mask = UInt32(fields[7], radix: 16), mask != 0
      else { return nil }
      return IPv4Subnet(base: destination.byteSwapped, prefix: mask.nonzeroBitCount)
    }
  }
}
