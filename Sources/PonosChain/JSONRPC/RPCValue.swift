import FoundationEssentials

/// Any JSON value, as an answer may have one anywhere.
package indirect enum RPCValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// Numbers that answers of the Ethereum API have: error codes, ids, pauses.
  case number(Double)
  case string(String)
  case array([RPCValue])
  case object([String: RPCValue])

  /// nil unless `bytes` are one JSON value and nothing behind it.
  package init?(json bytes: some Collection<UInt8>) {
    do { self = try JSONDecoder().decode(RPCValue.self, from: Data(bytes)) } catch { return nil }
  }

  /// The value of `key`; nil where there is none, or this is no object.
  package subscript(key: String) -> RPCValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  package var text: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// nil for what is no number, or no whole one.
  package var integer: Int? {
    if case .number(let number) = self { Int(exactly: number) } else { nil }
  }
}

extension RPCValue: Decodable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let members = try? container.decode([String: RPCValue].self) {
      self = .object(members)
    } else if let elements = try? container.decode([RPCValue].self) {
      self = .array(elements)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else {
      self = .bool(try container.decode(Bool.self))
    }
  }
}
