import Glibc
import PonosSystem

/// Secret bytes (a private key, a password): kept in one place, zeroed when the last reference goes, and never printed.
///
/// Each value has memory pages of its own, locked against swapping where the system allows it and left out of core dumps.
/// Copies made of the bytes are the caller's to zero.
package final class SecretBytes: Sendable {
  // Never written after init, which is what makes sharing the raw memory safe.
  private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer
  /// Whole pages, because locking works on pages: a neighbour's unlocking must not reach this secret.
  private let mappedCount: Int

  /// Takes a copy of `bytes`; the caller still has to zero its own.
  package convenience init(copying bytes: some Collection<UInt8>) {
    self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
  }

  /// `count` bytes that `fill` writes in place, so that no second copy exists. Zeroed first.
  package init<E: Error>(count: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    mappedCount = (max(count, 1) + page - 1) / page * page
    let memory = mmap(nil, mappedCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { preconditionFailure("out of memory") }
    storage = UnsafeMutableRawBufferPointer(start: memory, count: count)
    // Failures are ignored: a small RLIMIT_MEMLOCK or an old kernel must not keep the daemon from starting.
    mlock(memory, mappedCount)
    madvise(memory, mappedCount, MADV_DONTDUMP)
    try fill(storage)
  }

  /// The UTF-8 bytes of `text`, whose own copy stays where it is.
  package convenience init(text: String) {
    self.init(copying: text.utf8)
  }

  /// Reads the file or pipe at `path` into memory that is zeroed afterwards, and drops line breaks at its end: no password and no key ends
  /// with one, and editors and `echo` add them.
  package convenience init(file path: String) throws(BoundedFile.ReadError) {
    // The buffer has one byte more than is accepted, which tells a longer file from one of just that size.
    var count = 0
    let content = try SecretBytes(count: Self.maximumFileSize + 1) { buffer throws(BoundedFile.ReadError) in
      count = try BoundedFile.read(path, into: buffer)
    }
    guard count <= Self.maximumFileSize else { throw .tooLarge(maximum: Self.maximumFileSize) }
    self.init(copying: content.storage[..<count].droppingLineBreaks)
    extendLifetime(content)
  }

  /// Largest file that is taken for a secret, in bytes.
  package static let maximumFileSize = 32 * 1024

  deinit {
    guard let memory = storage.baseAddress else { return }
    explicit_bzero(memory, storage.count)
    munlock(memory, mappedCount)
    munmap(memory, mappedCount)
  }

  package var count: Int { storage.count }

  /// The bytes, valid only while `body` runs. The base address is there even when there are none.
  package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    // Keeps the memory from being zeroed and unmapped before `body` is done with it.
    defer { extendLifetime(self) }
    return try body(UnsafeRawBufferPointer(storage))
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

extension UnsafeMutableRawBufferPointer.SubSequence {
  /// Without carriage returns and line feeds at the end.
  fileprivate var droppingLineBreaks: Self {
    var rest = self
    while let last = rest.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { rest = rest.dropLast() }
    return rest
  }
}
