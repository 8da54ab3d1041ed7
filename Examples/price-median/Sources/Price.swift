/// A price in units of 10⁻⁸, exact: no floating point, so every operator computes the same bits.
struct Price: Equatable, Comparable, CustomStringConvertible {
  /// Digits after the point.
  static let decimals = 8
  /// Largest price, in units: 10²⁴ whole units of currency, which leaves room to add two.
  static let maxUnits = UInt128(10_000_000_000_000_000) * UInt128(10_000_000_000_000_000)

  /// The price times 10⁸.
  var units: UInt128

  init(units: UInt128) {
    self.units = units
  }

  /// Reads plain decimal text such as `2500`, `2500.1` or `0.00000001`; nil for anything else, more than 8 decimals, zero, or a
  /// price beyond ``maxUnits``.
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = parts.first, !whole.isEmpty, whole.utf8.count <= 24 else { return nil }
    let fraction = parts.count == 2 ? parts[1] : "0"
    guard !fraction.isEmpty, fraction.utf8.count <= Self.decimals else { return nil }
    let digits = whole + fraction + String(repeating: "0", count: Self.decimals - fraction.utf8.count)
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let units = UInt128(digits),
      units > 0, units <= Self.maxUnits
    else { return nil }
    self.units = units
  }

  static func < (left: Price, right: Price) -> Bool { left.units < right.units }

  /// The distance between two prices.
  func distance(to other: Price) -> Price {
    Price(units: max(units, other.units) - min(units, other.units))
  }

  /// Solidity's `abi.encode(uint256)`: 32 bytes, big-endian.
  var abiEncoded: [UInt8] {
    (0..<32).map { index in index < 16 ? 0 : UInt8(truncatingIfNeeded: units >> UInt128((31 - index) * 8)) }
  }

  var description: String {
    let digits = String(units)
    let padded = String(repeating: "0", count: max(0, Self.decimals + 1 - digits.count)) + digits
    return padded.dropLast(Self.decimals) + "." + padded.suffix(Self.decimals)
  }
}
