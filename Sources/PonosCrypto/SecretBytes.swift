import Glibc

/// Secret bytes (a private key, a password): kept in one place, zeroed when the last reference goes, and never printed.
///
/// The memory is locked against swapping where the system allows it. Copies made of the bytes are the caller's to zero.
package final class SecretBytes: Sendable {
  // Never written after init, which is what makes sharing the raw memory safe.
  private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

  /// Takes a copy of `bytes`; the caller still has to zero its own.
  package init(copying bytes: some Collection<UInt8>) {
    storage = .allocate(byteCount: bytes.count, alignment: 16)
    storage.copyBytes(from: bytes)
    if let base = storage.baseAddress { mlock(base, storage.count) }
  }

  /// `count` bytes that `fill` writes in place, so that no second copy exists. Zeroed first.
  package init<E: Error>(count: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
    storage = .allocate(byteCount: count, alignment: 16)
    storage.initializeMemory(as: UInt8.self, repeating: 0)
    if let base = storage.baseAddress { mlock(base, storage.count) }
    try fill(storage)
  }

  /// The UTF-8 bytes of `text`.
  package convenience init(text: String) {
    self.init(copying: Array(text.utf8))
  }

  deinit {
    if let base = storage.baseAddress {
      explicit_bzero(base, storage.count)
      munlock(base, storage.count)
    }
    storage.deallocate()
  }

  package var count: Int { storage.count }

  /// The bytes, valid only while `body` runs.
  package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(storage))
  }
}

extension SecretBytes: Equatable {
  /// Compares without an early exit, so that timing tells nothing but the length.
  package static func == (left: SecretBytes, right: SecretBytes) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<left.count { difference |= left.storage[index] ^ right.storage[index] }
    return difference == 0
  }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<secret>" }
  package var debugDescription: String { "<secret>" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
