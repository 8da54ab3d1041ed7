import Foundation
import PonosSystem
import Synchronization

/// The database file on disk, held by this process alone: nobody else may read it, and no second daemon may open it.
///
/// Exclusion is a lock on a file of its own beside the database (`<path>.lock`). A lock on the database itself would not do:
/// SQLite's own locks on it are dropped whenever any descriptor of the file is closed in the process. The lock goes with the
/// process, however it ends.
package final class DatabaseFile: Sendable {
  package let path: String
  /// Descriptor of the lock file; nil once released.
  private let lock: Mutex<Int32?>

  /// Makes missing directories (mode 0700) and a missing file (mode 0600), takes away others' access to an existing file, and
  /// locks it.
  package init(path: String) throws(StoreError) {
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    try Self.makeDirectory(directory)
    self.path = path
    lock = Mutex(try Self.acquireLock(path: path + ".lock", database: path))
    do throws(FileError) {
      // SQLite gives its -wal and -shm files the mode of the database.
      try DurableFile.makePrivate(path)
      try DurableFile.synchronizeDirectory(of: path)
    } catch { throw StoreError(error.isDiskFull ? .diskFull : .cannotOpen, error.message) }
  }

  deinit { release() }

  /// Lets another process have the database. Call it after the last connection is closed; may be called again.
  package func release() {
    let descriptor = lock.withLock { descriptor in
      defer { descriptor = nil }
      return descriptor
    }
    if let descriptor { close(descriptor) }
  }

  private static func makeDirectory(_ path: String) throws(StoreError) {
    do {
      // Existing directories are left as they are: they may be shared, and the file guards itself.
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw StoreError(
        .cannotOpen, "could not make the directory \(path): \(error.localizedDescription); create it for this user")
    }
  }

  private static func acquireLock(path: String, database: String) throws(StoreError) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw systemError("open the lock file \(path)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isHeld = errno == EWOULDBLOCK
      let failure = isHeld ? heldError(by: descriptor, database: database) : systemError("lock \(path)")
      close(descriptor)
      throw failure
    }
    writeProcessID(to: descriptor)
    return descriptor
  }

  private static func heldError(by descriptor: Int32, database: String) -> StoreError {
    var text = [UInt8](repeating: 0, count: 20)
    let count = pread(descriptor, &text, text.count, 0)
    let holder = String(decoding: text.prefix(max(0, count)), as: UTF8.self).filter(\.isNumber)
    return StoreError(
      .locked,
      "another executor\(holder.isEmpty ? "" : " (process \(holder))") has \(database) open; "
        + "stop it, or give this one a storage path of its own")
  }

  /// For the message of whoever finds the lock held; the lock works without it.
  private static func writeProcessID(to descriptor: Int32) {
    let text = Array("\(getpid())\n".utf8)
    if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
  }

  private static func systemError(_ action: String) -> StoreError {
    let number = errno
    return StoreError(number == ENOSPC ? .diskFull : .cannotOpen, "could not \(action): \(String(cString: strerror(number)))")
  }
}
