/// Random bytes from the operating system.
enum Entropy {
  /// Overwrites `buffer` with random bytes.
  static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    var generator = SystemRandomNumberGenerator()
    var offset = 0
    while offset < buffer.count {
      var word = generator.next()
      withUnsafeMutableBytes(of: &word) { source in
        let count = min(source.count, buffer.count - offset)
        UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<(offset + count)]).copyBytes(from: source[..<count])
        offset += count
        Wipe.zero(source)
      }
    }
  }

  /// `count` random bytes that are not secret (salts, initialisation vectors).
  static func bytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      fill(UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }
}
