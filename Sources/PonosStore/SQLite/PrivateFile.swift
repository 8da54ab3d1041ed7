import Foundation
import PonosSystem

/// A `DurableFile` whose errors are the store's, and which SQLite may write.
package struct PrivateFile: Sendable {
  private let file: DurableFile

  package var path: String { file.path }
  /// Where it is written until it is complete, in the same directory; exists, with mode 0600.
  package var partial: String { file.partial }

  /// Throws `.writeFailed` when `path` exists already or cannot be made.
  package init(_ path: String) throws(StoreError) {
    do throws(FileError) { file = try DurableFile(path) } catch { throw StoreError(writing: error) }
  }

  /// Appends to the file, before `commit`.
  package func append(_ bytes: some Sequence<UInt8>) throws(StoreError) {
    do throws(FileError) { try file.append(bytes) } catch { throw StoreError(writing: error) }
  }

  /// Gives the file its name once it is on disk; returns its size in bytes.
  package func commit() throws(StoreError) -> Int64 {
    do throws(FileError) { try file.commit() } catch { throw StoreError(writing: error) }
    return FileSize.bytes(path)
  }

  /// Removes what was written, and what SQLite kept beside it.
  package func discard() {
    file.discard()
    for suffix in ["-journal", "-wal", "-shm"] { unlink(partial + suffix) }
  }

  /// Removes what other processes began in `directory` and did not complete, of files whose names `isWanted` takes.
  static func removePartials(in directory: String, of isWanted: (String) -> Bool) throws {
    for entry in try FileManager.default.contentsOfDirectory(atPath: directory) {
      guard let name = DurableFile.name(ofPartial: entry), isWanted(name) else { continue }
      try FileManager.default.removeItem(atPath: directory + "/" + entry)
    }
  }
}

extension StoreError {
  /// What came of writing a file.
  fileprivate init(writing error: FileError) {
    guard !error.isTaken else {
      self.init(.writeFailed, "\(error.path) exists already; choose another name")
      return
    }
    self.init(error.isDiskFull ? .diskFull : .writeFailed, error.message)
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
