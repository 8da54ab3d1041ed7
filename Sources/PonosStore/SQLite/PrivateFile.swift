import Foundation

/// A new file that only its owner may read, which appears under its name complete or not at all, and never replaces another.
package struct PrivateFile: Sendable {
  package let path: String
  /// Where it is written until it is complete, in the same directory; exists, with mode 0600.
  package let partial: String

  private static let partialSuffix = ".partial"

  /// Throws `.writeFailed` when `path` exists already or cannot be made.
  package init(_ path: String) throws(StoreError) {
    let url = URL(fileURLWithPath: path)
    self.path = url.path
    partial =
      url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent).\(getpid())\(Self.partialSuffix)").path
    guard !FileManager.default.fileExists(atPath: self.path) else { throw Self.exists(path) }
    // What an earlier process of the same number left behind.
    unlink(partial)
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.systemError("make", path) }
    close(descriptor)
  }

  /// Appends to the file, before `commit`.
  package func write(_ body: (FileHandle) throws -> Void) throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: partial))
    defer { try? handle.close() }
    try handle.seekToEnd()
    try body(handle)
  }

  /// Gives the file its name once it is on disk; returns its size in bytes.
  package func commit() throws(StoreError) -> Int64 {
    let descriptor = open(partial, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.systemError("open", partial) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Self.systemError("synchronize", partial) }
    // A second name and not a move, which would replace a file that came meanwhile.
    if link(partial, path) == 0 {
      unlink(partial)
    } else if errno == EEXIST {
      throw Self.exists(path)
    } else if rename(partial, path) != 0 {
      throw Self.systemError("name", path)
    }
    try synchronizeDirectory()
    return FileSize.bytes(path)
  }

  /// Removes what was written.
  package func discard() {
    for suffix in ["", "-journal", "-wal", "-shm"] { unlink(partial + suffix) }
  }

  /// Removes what other processes began in `directory` and did not complete, of files whose names `isWanted` takes.
  static func removePartials(in directory: String, of isWanted: (String) -> Bool) throws {
    for entry in try FileManager.default.contentsOfDirectory(atPath: directory) {
      guard let name = name(ofPartial: entry), isWanted(name) else { continue }
      try FileManager.default.removeItem(atPath: directory + "/" + entry)
    }
  }

  /// The name that a file called `.<name>.<process>.partial`, or SQLite's journal of it, was to have; nil for another file.
  private static func name(ofPartial entry: String) -> String? {
    guard entry.hasPrefix("."), let end = entry.range(of: partialSuffix, options: .backwards)?.lowerBound else { return nil }
    let numbered = entry[..<end].dropFirst()
    guard let dot = numbered.lastIndex(of: "."), Int32(numbered[dot...].dropFirst()) != nil else { return nil }
    return String(numbered[..<dot])
  }

  private func synchronizeDirectory() throws(StoreError) {
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.systemError("open", directory) }
    defer { close(descriptor) }
    // Some file systems have nothing to do here and say so by EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.systemError("synchronize", directory) }
  }

  private static func exists(_ path: String) -> StoreError {
    StoreError(.writeFailed, "\(path) exists already; choose another name")
  }

  private static func systemError(_ action: String, _ path: String) -> StoreError {
    let number = errno
    return StoreError(
      number == ENOSPC ? .diskFull : .writeFailed, "could not \(action) \(path): \(String(cString: strerror(number)))")
  }
}

/// Sizes of files on disk.
enum FileSize {
  /// In bytes; 0 for a file that is not there.
  static func bytes(_ path: String) -> Int64 {
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    return Int64(size ?? 0)
  }
}
