import CNghttp2

/// Lends header fields to nghttp2 in the form it wants them; it copies what it is shown.
struct NameValues {
  // Kept, as memory for the next.
  private var text: [UInt8] = []
  private var entries: [nghttp2_nv] = []

  /// Lends `headers` to `body`.
  mutating func with<R>(_ headers: HeaderFields, _ body: (UnsafePointer<nghttp2_nv>?, Int) -> R) -> R {
    text.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
    for field in headers {
      text.append(contentsOf: field.name.utf8)
      text.append(contentsOf: field.value.utf8)
    }
    return text.withUnsafeMutableBufferPointer { text in
      var next = text.baseAddress
      for field in headers {
        let (name, value) = (field.name.utf8.count, field.value.utf8.count)
        let flags = field.isIndexed ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX
        entries.append(
          nghttp2_nv(
            name: next, value: next.map { $0 + name }, namelen: name, valuelen: value, flags: UInt8(flags.rawValue)))
        next = next.map { $0 + name + value }
      }
      return entries.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
    }
  }
}
