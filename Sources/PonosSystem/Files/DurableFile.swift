import Glibc
import SystemPackage

/// A new file that only its owner may read. It appears under its name complete and on disk, or not at all, and never replaces another.
package struct DurableFile: Sendable {
  package let path: String
  /// Where the file is until `commit`: in the same directory, with mode 0600, under the name `.<name>.<process>.partial`.
  package let partial: String

  private static let partialSuffix = ".partial"

  /// Makes the file under its partial name. Throws with `isTaken` when `path` exists already.
  package init(_ path: String) throws(FileError) {
    let place = FilePath(path)
    guard let name = place.lastComponent else {
      throw FileError(.make, path, place.isEmpty ? .noSuchFileOrDirectory : .isDirectory)
    }
    self.path = place.string
    partial = place.removingLastComponent().appending(".\(name).\(getpid())\(Self.partialSuffix)").string
    guard access(self.path, F_OK) != 0 else { throw FileError(.make, path, .fileExists) }
    // What an earlier process of the same number left behind.
    unlink(partial)
    do {
      try FileDescriptor.open(
        FilePath(partial), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite
      ).close()
    } catch { throw FileError(.make, path, thrown: error) }
  }

  /// Appends to the file, before `commit`.
  package func append(_ bytes: some Sequence<UInt8>) throws(FileError) {
    do {
      let file = try FileDescriptor.open(FilePath(partial), .writeOnly, options: [.append, .closeOnExec])
      try file.closeAfter { _ = try file.writeAll(bytes) }
    } catch { throw FileError(.write, path, thrown: error) }
  }

  /// Gives the file its name once its content is on disk, and returns when the name is on disk too.
  package func commit() throws(FileError) {
    try Self.synchronize(partial, options: .closeOnExec)
    // A second name and not a move, which would replace a file that came meanwhile.
    if link(partial, path) == 0 {
      unlink(partial)
    } else if errno == EEXIST {
      throw .last(.name, path)
    } else if rename(partial, path) != 0 {
      // Some file systems have no second names; there the move has to do.
      throw .last(.name, path)
    }
    try Self.synchronizeDirectory(of: path)
  }

  /// Removes what was written before `commit`.
  package func discard() {
    unlink(partial)
  }

  /// The name that a file called `.<name>.<process>.partial`, with or without more behind it, was to have; nil for another file.
  package static func name(ofPartial entry: String) -> String? {
    guard entry.hasPrefix("."), let end = entry.ranges(of: partialSuffix).last?.lowerBound else { return nil }
    let numbered = entry[..<end].dropFirst()
    guard let dot = numbered.lastIndex(of: "."), Int32(numbered[dot...].dropFirst()) != nil else { return nil }
    return String(numbered[..<dot])
  }
}

extension DurableFile {
  /// Writes a whole file. On an error nothing is left behind.
  package static func write(_ bytes: some Sequence<UInt8>, to path: String) throws(FileError) {
    let file = try DurableFile(path)
    do throws(FileError) {
      try file.append(bytes)
      try file.commit()
    } catch {
      file.discard()
      throw error
    }
  }

  /// Makes an empty file if there is none, and takes away others' access to it in any case.
  package static func makePrivate(_ path: String) throws(FileError) {
    let file: FileDescriptor
    do {
      file = try FileDescriptor.open(
        FilePath(path), .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
    } catch { throw FileError(.open, path, thrown: error) }
    defer { close(file.rawValue) }
    guard fchmod(file.rawValue, FilePermissions.ownerReadWrite.rawValue) == 0 else { throw .last(.protect, path) }
  }

  /// Makes the name of a file last: a power failure may otherwise lose a file whose content is safe.
  package static func synchronizeDirectory(of path: String) throws(FileError) {
    let directory = FilePath(path).removingLastComponent().string
    try synchronize(directory.isEmpty ? "." : directory, options: [.directory, .closeOnExec])
  }

  private static func synchronize(_ path: String, options: FileDescriptor.OpenOptions) throws(FileError) {
    let file: FileDescriptor
    do { file = try FileDescriptor.open(FilePath(path), .readOnly, options: options) } catch {
      throw FileError(.open, path, thrown: error)
    }
    defer { close(file.rawValue) }
    // Some file systems have nothing to do for a directory and say so by EINVAL.
    guard fsync(file.rawValue) == 0 || (options.contains(.directory) && errno == EINVAL) else {
      throw .last(.synchronize, path)
    }
  }
}
