import Glibc

/// Writes files with secrets.
enum NewSecretFile {
  /// Writes a file that only its owner may read, never replacing one; when it returns, the file is on disk under its name. On an
  /// error no file is left behind.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let reason = errno == EEXIST ? "it exists already; choose another name" : String(cString: strerror(errno))
      throw CommandFailure("\(path) cannot be written: \(reason)")
    }
    var error = fill(descriptor, with: bytes)
    if close(descriptor) != 0, error == nil { error = errno }
    if error == nil { error = synchronizeDirectory(of: path) }
    guard let error else { return }
    unlink(path)
    throw CommandFailure("\(path) cannot be written: \(String(cString: strerror(error))); nothing was kept")
  }

  /// Returns the number of the error, or nil.
  private static func fill(_ descriptor: Int32, with bytes: [UInt8]) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written >= 0 else { return errno }
      rest = rest.dropFirst(written)
    }
    return fsync(descriptor) == 0 ? nil : errno
  }

  /// Makes the name last: a power failure may otherwise lose a file whose content is safe.
  private static func synchronizeDirectory(of path: String) -> Int32? {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    // Some file systems have nothing to do here and say so by EINVAL.
    return fsync(descriptor) == 0 || errno == EINVAL ? nil : errno
  }
}
