import Foundation
import PonosAPI
import PonosCore
import SwiftProtobuf

/// Fields that both kinds of stream messages have.
enum StreamWire {
  static func id(_ text: String, field: String) throws -> TaskID {
    guard let id = TaskID(hex: text) else { throw StreamWireError(message: "\(field) is not 0x and 64 hex digits") }
    return id
  }

  static func ids(_ texts: [String], field: String) throws -> [TaskID] {
    try check(texts.count, field: field)
    return try texts.map { try id($0, field: field) }
  }

  static func check(_ count: Int, field: String) throws {
    guard count <= StreamProtocol.maxIDsPerMessage else {
      throw StreamWireError(message: "\(field) has \(count) entries; \(StreamProtocol.maxIDsPerMessage) are allowed")
    }
  }

  static func address(_ text: String, field: String) throws -> EthereumAddress {
    guard let address = EthereumAddress(hex: text) else {
      throw StreamWireError(message: "\(field) is not 0x and 40 hex digits")
    }
    return address
  }

  static func nonce(_ data: Data, field: String) throws -> Digest32 {
    guard let nonce = Digest32(data) else {
      throw StreamWireError(message: "\(field) has \(data.count) bytes; it must have \(StreamProtocol.nonceBytes)")
    }
    return nonce
  }
}

extension Goodbye {
  /// Cuts the peer's texts short: they end up in logs.
  init(wire message: Ponos_V1_Goodbye) {
    self.init(
      code: message.code.cut(toBytes: 64), message: message.message.cut(toBytes: 256),
      retryAfter: message.retryAfterMs == 0 ? nil : Int64(message.retryAfterMs))
  }

  var wire: Ponos_V1_Goodbye {
    .with { message in
      message.code = code
      message.message = self.message
      message.retryAfterMs = UInt32(clamping: retryAfter ?? 0)
    }
  }
}

extension String {
  /// The first scalars of the text, at most `count` bytes of UTF-8. Whole characters would not do: one may be as long as a
  /// message.
  func cut(toBytes count: Int) -> String {
    guard utf8.count > count else { return self }
    var end = utf8.index(startIndex, offsetBy: count)
    while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
    return String(unicodeScalars[..<end])
  }
}
