import Foundation

/// Cuts a JSON text that may be larger than memory into values, which its reader then decodes.
///
/// It knows where a value ends and nothing more; the decoder finds out whether a value is JSON.
struct JSONStreamSplitter {
  /// What is wrong, and the line of the text where that shows.
  struct Fault: Error {
    let problem: String
    let line: Int
  }

  /// Bytes that a value may have. Nothing that is read in pieces needs as many.
  static let largestValue = 1 << 20

  private let next: () throws -> Data
  private var buffer: [UInt8] = []
  private var index = 0
  /// Of the byte that comes next; the first is 1.
  private var line = 1

  /// - Parameter next: The bytes that follow those it returned last; empty at the end.
  init(next: @escaping () throws -> Data) {
    self.next = next
  }

  /// The next byte that is not white space, which stays; nil at the end.
  mutating func peek() throws -> UInt8? {
    while let byte = try current() {
      guard Self.isSpace(byte) else { return byte }
      skip(byte)
    }
    return nil
  }

  /// Takes the next byte that is not white space if it is `byte`.
  mutating func take(_ byte: UInt8) throws -> Bool {
    guard try peek() == byte else { return false }
    skip(byte)
    return true
  }

  /// Takes the next value whole.
  mutating func value() throws -> Data {
    switch try peek() {
    case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""): try enclosed()
    default: try scalar()
    }
  }

  func fault(_ problem: String) -> Fault { Fault(problem: problem, line: line) }

  // MARK: Values

  /// Follows quotes and brackets to the end of the value that they enclose.
  private struct Extent {
    private var depth = 0
    private var isString = false
    private var isEscaped = false

    var isComplete: Bool { depth == 0 && !isString }

    mutating func pass(_ byte: UInt8) {
      guard !isString else { return passText(byte) }
      switch byte {
      case UInt8(ascii: "\""): isString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }

    private mutating func passText(_ byte: UInt8) {
      if isEscaped {
        isEscaped = false
      } else {
        isEscaped = byte == UInt8(ascii: "\\")
        isString = byte != UInt8(ascii: "\"")
      }
    }
  }

  private mutating func enclosed() throws -> Data {
    var (piece, extent) = ([UInt8](), Extent())
    repeat {
      guard let byte = try current() else { throw fault("it ends in the middle of a value") }
      try move(byte, to: &piece)
      extent.pass(byte)
    } while !extent.isComplete
    return Data(piece)
  }

  private mutating func scalar() throws -> Data {
    var piece: [UInt8] = []
    while let byte = try current(), !Self.isSpace(byte), !Self.endsScalar(byte) { try move(byte, to: &piece) }
    guard !piece.isEmpty else { throw fault("a value is missing") }
    return Data(piece)
  }

  private mutating func move(_ byte: UInt8, to piece: inout [UInt8]) throws {
    guard piece.count < Self.largestValue else { throw fault("it has a value of more than 1 MiB besides its entries") }
    piece.append(byte)
    skip(byte)
  }

  // MARK: Bytes

  private mutating func current() throws -> UInt8? {
    if index == buffer.count {
      buffer = [UInt8](try next())
      index = 0
    }
    return index < buffer.count ? buffer[index] : nil
  }

  private mutating func skip(_ byte: UInt8) {
    index += 1
    if byte == UInt8(ascii: "\n") { line += 1 }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

  private static func endsScalar(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: ":")
  }
}
