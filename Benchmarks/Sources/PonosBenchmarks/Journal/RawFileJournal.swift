import Glibc

/// The least a durable journal can do: records written over a file of fixed size, and `fdatasync`, as SQLite does with its log.
final class RawFileJournal {
  private static let size = 4 << 20
  private let descriptor: Int32
  private let records: [UInt8]
  private var offset = 0

  /// `count` records of `bytes` bytes go into each write.
  init(path: String, bytes: Int, count: Int) throws {
    records = [UInt8](repeating: 0x5a, count: bytes * count)
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemFailure("open \(path)") }
    // Full size from the start: a growing file would pay for its length with each synchronisation.
    let zeroes = [UInt8](repeating: 0, count: Self.size)
    guard write(descriptor, zeroes, zeroes.count) == zeroes.count, fsync(descriptor) == 0 else {
      throw SystemFailure("fill \(path)")
    }
  }

  deinit { close(descriptor) }

  func append() throws {
    if offset + records.count > Self.size { offset = 0 }
    guard pwrite(descriptor, records, records.count, off_t(offset)) == records.count, fdatasync(descriptor) == 0 else {
      throw SystemFailure("write to the file")
    }
    offset += records.count
  }
}
