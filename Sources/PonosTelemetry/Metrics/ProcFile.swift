import Foundation

/// Files that the kernel writes at the moment they are read.
enum ProcFile {
  /// nil where there is no such file.
  static func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Names in a directory; none where there is no such directory.
  static func names(in path: String) -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    do { return try FileManager.default.contentsOfDirectory(atPath: path) } catch { return [] }
  }

  static func number(after prefix: String, in text: String) -> Double? {
    text.split(separator: "\n").first { $0.hasPrefix(prefix) }.flatMap { Double($0.dropFirst(prefix.count)) }
  }
}
