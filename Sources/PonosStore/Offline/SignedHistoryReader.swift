import Foundation
import PonosCore

/// Reads a signed history record by record: the document may be larger than memory.
package struct SignedHistoryReader {
  /// What is known of a document apart from its entries.
  private struct Head: Decodable {
    var format: String
    var version: Int
    var operatorAddress: EthereumAddress

    static let keys: Set<String> = ["format", "version", "operatorAddress"]
  }

  private let operatorAddress: EthereumAddress
  private let decoder = JSONDecoder()
  private var splitter: JSONStreamSplitter
  private var head: [String: Data] = [:]
  private var count = 0
  private var hasEntries = false

  /// - Parameters:
  ///   - operatorAddress: The operator here; a history of another one is not read.
  ///   - read: The bytes of the document that follow those it returned last; empty at the end.
  package init(of operatorAddress: EthereumAddress, read: @escaping () throws -> Data) {
    self.operatorAddress = operatorAddress
    splitter = JSONStreamSplitter {
      do { return try read() } catch { throw HistoryError.unreadable("it cannot be read on: \(error.localizedDescription)") }
    }
  }

  /// Calls `take` with every entry, in the order of the document.
  ///
  /// Throws `.unreadable` with the place of the fault, `.otherOperator`, and what `take` throws. Entries that were taken
  /// before it throws count for nothing: what is wrong may stand behind them.
  package mutating func readEntries(_ take: (SignedHistory.Entry) throws -> Void) throws {
    do {
      try readDocument(take)
    } catch let fault as JSONStreamSplitter.Fault {
      throw HistoryError.unreadable("\(fault.problem) (line \(fault.line))")
    }
  }

  private mutating func readDocument(_ take: (SignedHistory.Entry) throws -> Void) throws {
    guard try splitter.take(UInt8(ascii: "{")) else { throw splitter.fault("it is not a JSON object") }
    if try !splitter.take(UInt8(ascii: "}")) {
      repeat { try readMember(take) } while try splitter.take(UInt8(ascii: ","))
      guard try splitter.take(UInt8(ascii: "}")) else { throw splitter.fault("a ',' or the '}' at the end is missing") }
    }
    guard try splitter.peek() == nil else { throw splitter.fault("there is more behind its end") }
    try checkHead()
    guard hasEntries else { throw HistoryError.unreadable("'entries' is missing") }
  }

  private mutating func readMember(_ take: (SignedHistory.Entry) throws -> Void) throws {
    let key = try decode(String.self, from: try splitter.value(), at: "a key")
    guard try splitter.take(UInt8(ascii: ":")) else { throw splitter.fault("there is no ':' behind '\(key.prefix(40))'") }
    guard key == "entries" else { return try readOther(key) }
    guard !hasEntries else { throw splitter.fault("'entries' is there twice") }
    hasEntries = true
    // Where the head stands in front, as we write it, a file that is not for us costs no more than a look.
    if head.count == Head.keys.count { try checkHead() }
    try readArray(take)
  }

  private mutating func readOther(_ key: String) throws {
    let value = try splitter.value()
    guard Head.keys.contains(key) else {
      do { _ = try JSONSerialization.jsonObject(with: value, options: .fragmentsAllowed) } catch {
        throw splitter.fault("the value of '\(key.prefix(40))' is not JSON")
      }
      return
    }
    guard head.updateValue(value, forKey: key) == nil else { throw splitter.fault("'\(key)' is there twice") }
  }

  private mutating func readArray(_ take: (SignedHistory.Entry) throws -> Void) throws {
    guard try splitter.take(UInt8(ascii: "[")) else { throw splitter.fault("there is a value of the wrong type at entries") }
    if try splitter.take(UInt8(ascii: "]")) { return }
    repeat {
      let value = try splitter.value()
      try take(try decode(SignedHistory.Entry.self, from: value, at: "entries.[\(count)]"))
      count += 1
    } while try splitter.take(UInt8(ascii: ","))
    guard try splitter.take(UInt8(ascii: "]")) else { throw splitter.fault("a ',' or the ']' of the entries is missing") }
  }

  private func checkHead() throws {
    let members = head.map { Data("\"\($0.key)\":".utf8) + $0.value }
    let head = try decode(Head.self, from: Data("{".utf8) + members.joined(separator: Data(",".utf8)) + Data("}".utf8), at: "")
    guard head.format == SignedHistory.format else {
      throw HistoryError.unreadable("its format is '\(head.format.prefix(40))' and not '\(SignedHistory.format)'")
    }
    guard head.version == SignedHistory.version else {
      throw HistoryError.unreadable(
        "its version is \(head.version), and this executor knows version \(SignedHistory.version) only")
    }
    guard head.operatorAddress == operatorAddress else {
      throw HistoryError.otherOperator(theirs: head.operatorAddress, ours: operatorAddress)
    }
  }

  private func decode<Value: Decodable>(_ type: Value.Type, from piece: Data, at place: String) throws -> Value {
    do { return try decoder.decode(type, from: piece) } catch {
      throw place.isEmpty
        ? HistoryError.unreadable(Self.explanation(of: error, at: place)) : splitter.fault(Self.explanation(of: error, at: place))
    }
  }

  private static func explanation(of error: any Error, at place: String) -> String {
    func text(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
      let whole = ((place.isEmpty ? [] : [place]) + path).joined(separator: ".")
      return whole.isEmpty ? "" : " at \(whole)"
    }
    return switch error as? DecodingError {
    case .keyNotFound(let key, let context): "'\(key.stringValue)' is missing\(text(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "there is a value of the wrong type\(text(context))"
    case .dataCorrupted(let context): "\(context.debugDescription)\(text(context))"
    case nil: "\(error)"
    @unknown default: "\(error)"
    }
  }
}
