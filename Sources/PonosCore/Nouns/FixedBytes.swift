/// A byte string whose length is part of its type, written and read as `0x` and lower-case hex.
package protocol FixedBytes: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The only length a value may have, in bytes.
  static var count: Int { get }
  /// Exactly `count` bytes.
  var bytes: [UInt8] { get }
  /// Wraps `bytes` without a check; conforming types keep it private to their file or check first.
  init(unchecked bytes: [UInt8])
}

extension FixedBytes {
  // The synthesised one would hash the array byte by byte, which is slow; ids and addresses are looked up for each task.
  package func hash(into hasher: inout Hasher) {
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }

  /// nil unless `bytes` has exactly `count` elements.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.count else { return nil }
    self.init(unchecked: Array(bytes))
  }

  /// nil unless `text` is `0x` and exactly `2 * count` hex digits, in either case.
  package init?(hex text: some StringProtocol) {
    // Digits for as many bytes need as many characters, so the others are the prefix.
    guard text.utf8.count == 2 + 2 * Self.count, let bytes = Hex.decode(text), bytes.count == Self.count else { return nil }
    self.init(unchecked: bytes)
  }

  /// `0x` and lower-case hex.
  package var description: String { Hex.encodePrefixed(bytes) }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Self(hex: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected 0x and \(2 * Self.count) hex digits")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// The 20-byte address of an Ethereum account or contract. Compared as bytes, so its hex may come in any case.
package struct EthereumAddress: FixedBytes {
  package static let count = 20
  package let bytes: [UInt8]
  package init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}

/// The 32-byte hash by which the task mailbox contract names a task.
package struct TaskID: FixedBytes {
  package static let count = 32
  package let bytes: [UInt8]
  package init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}

/// A 32-byte hash.
package struct Digest32: FixedBytes {
  package static let count = 32
  package let bytes: [UInt8]
  package init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}
