import PonosCore

/// Numbers as the Ethereum API writes them: `0x` and hex digits.
enum Quantity {
  /// nil unless `text` is `0x` and 1 to 16 hex digits. Leading zeros are let pass, as some nodes write them.
  static func decode(_ text: String) -> UInt64? {
    guard text.hasPrefix("0x"), (3...18).contains(text.utf8.count) else { return nil }
    // Of what this type reads, only a sign is no digit.
    return text.contains(where: { $0 == "+" || $0 == "-" }) ? nil : UInt64(text.dropFirst(2), radix: 16)
  }

  /// Without leading zeros, as the API demands.
  static func encode(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}
