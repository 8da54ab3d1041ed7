import Foundation
import PonosCore

/// One published input with its expected outcome.
package struct TestVector: Decodable, Sendable, CustomStringConvertible {
  package let name: String
  package let category: String
  package let inputs: JSONValue
  package let outputs: JSONValue

  package var description: String { name }
}

/// The vectors in `Tests/Vectors`, found from this file's own place in the sources.
package enum Vectors {
  /// All vectors of `category`; throws when there are none, so that a renamed category cannot make a test pass by doing nothing.
  package static func of(_ category: String) throws -> [TestVector] {
    let found = try read("vectors.json", as: File.self).vectors.filter { $0.category == category }
    guard !found.isEmpty else { throw VectorError(message: "no vectors of category \(category)") }
    return found
  }

  /// The JSON file `name` of the vector directory.
  package static func read<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: directory.appending(path: name)))
  }

  private struct File: Decodable {
    let vectors: [TestVector]
  }

  private static let directory = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Tests/Vectors")
}

/// A vector that does not have what a test asks of it.
package struct VectorError: Error, CustomStringConvertible {
  package let message: String
  package var description: String { message }
}

/// Any JSON value, with accessors that throw what is missing.
package enum JSONValue: Decodable, Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(UInt64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// The member `key`; nil when there is none.
  package subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  package func member(_ key: String) throws -> JSONValue {
    guard let value = self[key] else { throw VectorError(message: "no member \(key)") }
    return value
  }

  package func string(_ key: String) throws -> String {
    guard case .string(let value) = try member(key) else { throw VectorError(message: "\(key) is not a string") }
    return value
  }

  /// The bytes of a hex member, with or without `0x`.
  package func bytes(_ key: String) throws -> [UInt8] {
    guard let bytes = Hex.decode(try string(key)) else { throw VectorError(message: "\(key) is not hex") }
    return bytes
  }

  package func integer(_ key: String) throws -> UInt64 {
    guard case .integer(let value) = try member(key) else { throw VectorError(message: "\(key) is not an integer") }
    return value
  }

  package func uint32(_ key: String) throws -> UInt32 {
    guard let value = UInt32(exactly: try integer(key)) else { throw VectorError(message: "\(key) is too large") }
    return value
  }

  package func address(_ key: String) throws -> EthereumAddress {
    guard let value = EthereumAddress(try bytes(key)) else { throw VectorError(message: "\(key) is not an address") }
    return value
  }

  package func digest(_ key: String) throws -> Digest32 {
    guard let value = Digest32(try bytes(key)) else { throw VectorError(message: "\(key) is not 32 bytes") }
    return value
  }

  package func taskID(_ key: String) throws -> TaskID {
    guard let value = TaskID(try bytes(key)) else { throw VectorError(message: "\(key) is not 32 bytes") }
    return value
  }

  /// This value as JSON text again.
  package var text: [UInt8] {
    get throws { Array(try JSONSerialization.data(withJSONObject: foundation, options: [.fragmentsAllowed])) }
  }

  private var foundation: Any {
    switch self {
    case .null: NSNull()
    case .bool(let value): value
    case .integer(let value): NSNumber(value: value)
    case .number(let value): value
    case .string(let value): value
    case .array(let values): values.map(\.foundation)
    case .object(let members): members.mapValues(\.foundation)
    }
  }

  /// This object with `value` at `path` (members separated by dots); nil removes the member.
  package func replacing(_ path: String, with value: JSONValue?) -> JSONValue {
    guard case .object(var members) = self else { return self }
    let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
    members[parts[0]] = parts.count == 1 ? value : (members[parts[0]] ?? .object([:])).replacing(parts[1], with: value)
    return .object(members)
  }
}
