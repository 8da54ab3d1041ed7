import PonosSystem

/// Writes files with secrets.
enum NewSecretFile {
  /// Writes a file that only its owner may read, never replacing one; when it returns, the file is on disk under its name. On an
  /// error no file is left behind.
  static func write(_ bytes: [UInt8], to path: String) throws {
    do throws(FileError) { try DurableFile.write(bytes, to: path) } catch {
      let reason = error.isTaken ? "it exists already; choose another name" : "\(error.reason); nothing was kept"
      throw CommandFailure("\(path) cannot be written: \(reason)")
    }
  }
}
