/// Whether bytes are a JSON text by RFC 8259: one value in UTF-8, with white space round it. Builds nothing, so an output of any size
/// costs no memory.
package struct JSONSyntax {
  /// Arrays and objects may be nested this deep; many parsers break on deeper ones.
  package static let maxDepth = 128

  private enum Container {
    case array
    case object
  }

  private let bytes: [UInt8]
  private var index = 0
  private var open: [Container] = []
  /// Whether another value has to come; set by what was read last.
  private var needsValue = false

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Offset of the first byte that does not belong there, the length of `bytes` when something is missing at the end; nil when they
  /// are a JSON text.
  package static func fault(in bytes: [UInt8]) -> Int? {
    var syntax = JSONSyntax(bytes)
    guard syntax.readText() else { return syntax.index }
    return String(validating: bytes, as: UTF8.self) == nil ? 0 : nil
  }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  /// Takes the next byte if it is `byte`.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
  }

  private mutating func readText() -> Bool {
    repeat {
      skipSpace()
      guard readValueOrOpening() else { return false }
    } while needsValue
    return index == bytes.count
  }

  /// Reads a scalar, an empty container, or the beginning of a container up to where its first value must come; after a complete
  /// value everything up to the next one, or to the end.
  private mutating func readValueOrOpening() -> Bool {
    if take(UInt8(ascii: "[")) { return readOpening(of: .array) }
    if take(UInt8(ascii: "{")) { return readOpening(of: .object) }
    guard readScalar() else { return false }
    return readRestOfContainers()
  }

  private mutating func readOpening(of container: Container) -> Bool {
    guard open.count < Self.maxDepth else {
      index -= 1
      return false
    }
    open.append(container)
    skipSpace()
    if take(container == .array ? UInt8(ascii: "]") : UInt8(ascii: "}")) {
      open.removeLast()
      return readRestOfContainers()
    }
    needsValue = true
    return container == .array || readKey()
  }

  /// Closes containers for as long as no further value comes.
  private mutating func readRestOfContainers() -> Bool {
    while true {
      skipSpace()
      guard let container = open.last else {
        needsValue = false
        return true
      }
      if take(UInt8(ascii: ",")) {
        needsValue = true
        skipSpace()
        return container == .array || readKey()
      }
      guard take(container == .array ? UInt8(ascii: "]") : UInt8(ascii: "}")) else { return false }
      open.removeLast()
    }
  }

  private mutating func readKey() -> Bool {
    guard readString() else { return false }
    skipSpace()
    return take(UInt8(ascii: ":"))
  }

  private mutating func readScalar() -> Bool {
    switch next {
    case UInt8(ascii: "\""): readString()
    case UInt8(ascii: "t"): readWord("true")
    case UInt8(ascii: "f"): readWord("false")
    case UInt8(ascii: "n"): readWord("null")
    default: readNumber()
    }
  }

  private mutating func readWord(_ word: StaticString) -> Bool {
    for offset in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[offset]) { return false }
    return true
  }

  private mutating func readString() -> Bool {
    guard take(UInt8(ascii: "\"")) else { return false }
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return true
      case UInt8(ascii: "\\"):
        index += 1
        guard readEscape() else { return false }
      case 0..<0x20: return false
      default: index += 1
      }
    }
    return false
  }

  private mutating func readEscape() -> Bool {
    guard let byte = next else { return false }
    guard byte != UInt8(ascii: "u") else {
      index += 1
      for _ in 0..<4 {
        guard let digit = next, Self.isHexDigit(digit) else { return false }
        index += 1
      }
      return true
    }
    guard "\"\\/bfnrt".utf8.contains(byte) else { return false }
    index += 1
    return true
  }

  private mutating func readNumber() -> Bool {
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { guard readDigits() else { return false } }
    if take(UInt8(ascii: ".")) { guard readDigits() else { return false } }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      return readDigits()
    }
    return true
  }

  /// At least one.
  private mutating func readDigits() -> Bool {
    let start = index
    while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
    return index > start
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
  }
}
