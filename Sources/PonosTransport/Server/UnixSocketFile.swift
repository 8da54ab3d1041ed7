import Glibc

/// The file of a unix socket, which outlives the socket unless someone removes it.
struct UnixSocketFile: Sendable {
  private let path: String
  private let device: UInt
  private let inode: UInt

  /// The file at `path`; nil when there is none.
  init?(path: String) {
    guard let found = Self.status(of: path) else { return nil }
    self.path = path
    (device, inode) = (UInt(found.st_dev), UInt(found.st_ino))
  }

  /// Removes the file, unless another process has put its own in that place since.
  func remove() {
    guard let found = Self.status(of: path), UInt(found.st_dev) == device, UInt(found.st_ino) == inode else { return }
    unlink(path)
  }

  private static func status(of path: String) -> stat? {
    var found = stat()
    return lstat(path, &found) == 0 ? found : nil
  }
}
