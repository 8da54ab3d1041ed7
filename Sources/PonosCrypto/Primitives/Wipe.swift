import Glibc

/// Overwriting memory that held a secret, in a way the compiler does not optimise away.
enum Wipe {
  /// Zeroes `buffer`.
  static func zero(_ buffer: UnsafeMutableRawBufferPointer) {
    if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
  }

  /// Zeroes the memory of `value`.
  static func zero<Value>(_ value: inout Value) {
    withUnsafeMutableBytes(of: &value) { zero($0) }
  }
}
