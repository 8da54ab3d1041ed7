import GRPCCore
import NIOCore

/// The header `grpc-timeout`: one to eight digits and a unit.
package enum GRPCTimeout {
  static let name = "grpc-timeout"

  /// The deadline that a caller names in the metadata of a call.
  static func first(in metadata: Metadata) -> Duration? {
    metadata.isEmpty ? nil : metadata[stringValues: name].first { _ in true }.flatMap { parse($0) }
  }

  /// The duration `text` stands for, or nil if it is malformed.
  package static func parse(_ text: some StringProtocol) -> Duration? {
    let utf8 = Array(text.utf8)
    guard (2...9).contains(utf8.count), let unit = utf8.last else { return nil }
    var amount: Int64 = 0
    for digit in utf8.dropLast() {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      amount = amount * 10 + Int64(digit - UInt8(ascii: "0"))
    }
    switch unit {
    case UInt8(ascii: "H"): return .seconds(amount * 3_600)
    case UInt8(ascii: "M"): return .seconds(amount * 60)
    case UInt8(ascii: "S"): return .seconds(amount)
    case UInt8(ascii: "m"): return .milliseconds(amount)
    case UInt8(ascii: "u"): return .microseconds(amount)
    case UInt8(ascii: "n"): return .nanoseconds(amount)
    default: return nil
    }
  }

  /// The text for `time`, in the finest unit that eight digits allow, rounded up: a server does not give up before its client.
  static func text(for time: TimeAmount) -> String {
    let units: [(nanoseconds: Int64, name: String)] = [(1, "n"), (1_000, "u"), (1_000_000, "m"), (1_000_000_000, "S")]
    for unit in units {
      let (whole, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: unit.nanoseconds)
      let amount = rest > 0 ? whole + 1 : whole
      if amount < 100_000_000 { return "\(amount)\(unit.name)" }
    }
    return "99999999S"
  }
}
