import CNghttp2

/// Collects the header fields of one block as they come out of HPACK.
struct HeaderFieldCollector {
  private(set) var fields = HeaderFields()
  private let limit: Int
  private var bytes = 0

  /// - Parameter limit: largest size of a block in bytes, uncompressed.
  init(limit: Int) {
    self.limit = limit
  }

  mutating func begin() {
    fields.removeAll()
    bytes = 0
  }

  /// Adds a field, unless the peer may not send it; false when the block is many times too large, for which a few bytes are enough, and
  /// which nobody sends by mistake.
  mutating func add(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Bool {
    // RFC 9113 section 6.5.2.
    bytes += name.count + value.count + 32
    guard bytes <= limit else {
      fields.defect = .tooLarge
      return bytes <= 16 * limit
    }
    guard
      nghttp2_check_header_name(name.baseAddress, name.count) != 0,
      nghttp2_check_header_value(value.baseAddress, value.count) != 0
    else {
      fields.defect = fields.defect ?? .malformed
      return true
    }
    fields.add(name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
    return true
  }
}
