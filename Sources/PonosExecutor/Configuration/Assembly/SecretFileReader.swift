import Foundation

/// Reads secrets from files that settings such as `passwordFile` name.
struct SecretFileReader {
  /// Larger files are no secrets.
  static let maxBytes = 1 << 20

  let report: ConfigurationReport

  /// The text under `key` or in the file under `fileKey`, whichever the higher layer gives; the default of `key` if none does.
  /// nil after an error was reported.
  func value(of section: ConfigurationSection, _ key: String, orFile fileKey: String) -> String? {
    if section.isGiven(key), section.isGiven(fileKey),
      section.origin(key)?.precedence == section.origin(fileKey)?.precedence
    {
      report.add(
        .error, .conflict, key: section.path.appending(key: fileKey), origin: section.origin(fileKey),
        "is given together with \(key)", cure: "keep one of the two")
      return nil
    }
    return section.strongest(of: [key, fileKey]) == fileKey ? text(of: section, fileKey) : section.text(key)
  }

  /// What the file under `key` holds, without the line break at its end; nil after an error was reported.
  func text(of section: ConfigurationSection, _ key: String) -> String? {
    guard let path = section.text(key) else { return nil }
    do {
      var text = try BoundedFile.read(path, maxBytes: Self.maxBytes)
      if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
      return text
    } catch {
      report.add(
        .error, .unreadableSecret, key: section.path.appending(key: key), origin: section.origin(key),
        "cannot read \(path): \(error.message)", cure: "check the path and who may read it")
      return nil
    }
  }

  func exists(_ path: String) -> Bool {
    FileManager.default.isReadableFile(atPath: path)
  }
}

/// Reads small text files.
enum BoundedFile {
  struct ReadError: Error {
    let message: String
  }

  static func read(_ path: String, maxBytes: Int) throws(ReadError) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw ReadError(message: "there is no such file")
    }
    if isDirectory.boolValue { throw ReadError(message: "it is a directory") }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw ReadError(message: "this user may not read it")
    }
    let data: Data?
    do {
      defer { _ = try? handle.close() }
      data = try handle.read(upToCount: maxBytes + 1)
    } catch {
      throw ReadError(message: "reading failed")
    }
    guard let data, data.count <= maxBytes else {
      if data == nil { return "" }
      throw ReadError(message: "it is larger than \(maxBytes) bytes")
    }
    guard let text = String(bytes: data, encoding: .utf8) else { throw ReadError(message: "it is not UTF-8 text") }
    return text
  }
}
