import Crypto
import Foundation

/// Writes a tar archive (POSIX ustar) into a file, equal for equal content: times and owners are nought, modes are 0755 or 0644.
final class TarWriter {
  private let handle: FileHandle
  private var hash = SHA256()
  private var directories: Set<String> = []

  private static let block = 512
  private static let chunk = 1 << 20
  /// The longest name and the longest prefix of a ustar header, in bytes.
  private static let maxName = 100
  private static let maxPrefix = 155

  /// What a header says an entry is.
  private enum Kind: Character {
    case file = "0"
    case link = "2"
    case directory = "5"
  }

  /// Creates the file, or empties it.
  init(path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
      throw CommandFailure("\(path) cannot be written")
    }
    self.handle = handle
  }

  /// Adds a directory and those above it, once.
  func addDirectory(_ path: String) throws {
    let path = Self.relative(path)
    guard !path.isEmpty, directories.insert(path).inserted else { return }
    try addDirectory((path as NSString).deletingLastPathComponent)
    try addHeader(path + "/", .directory, size: 0, isExecutable: true)
  }

  /// Adds the file at `source`, and the directories above `path`.
  func addFile(_ path: String, from source: String, isExecutable: Bool) throws {
    guard let input = FileHandle(forReadingAtPath: source) else { throw CommandFailure("\(source) cannot be read") }
    let size = try input.seekToEnd()
    try input.seek(toOffset: 0)
    try addDirectory((Self.relative(path) as NSString).deletingLastPathComponent)
    try addHeader(Self.relative(path), .file, size: Int(size), isExecutable: isExecutable)
    var rest = Int(size)
    while rest > 0 {
      guard let bytes = try input.read(upToCount: min(rest, Self.chunk)), !bytes.isEmpty else {
        throw CommandFailure("\(source) became shorter while it was read")
      }
      try write(bytes)
      rest -= bytes.count
    }
    try pad(after: Int(size))
  }

  /// Adds a file with `content`.
  func addFile(_ path: String, content: Data) throws {
    try addHeader(Self.relative(path), .file, size: content.count, isExecutable: false)
    try write(content)
    try pad(after: content.count)
  }

  /// Adds a symbolic link.
  func addLink(_ path: String, to target: String) throws {
    try addDirectory((Self.relative(path) as NSString).deletingLastPathComponent)
    try addHeader(Self.relative(path), .link, size: 0, isExecutable: true, target: target)
  }

  /// Ends the archive and returns its SHA-256 in hex.
  func finish() throws -> String {
    try write(Data(count: 2 * Self.block))
    try handle.close()
    return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  // MARK: Beneath

  private static func relative(_ path: String) -> String { String(path.drop { $0 == "/" }) }

  private func addHeader(_ path: String, _ kind: Kind, size: Int, isExecutable: Bool, target: String = "") throws {
    let (prefix, name) = try Self.split(path)
    guard target.utf8.count <= Self.maxName else {
      throw CommandFailure("the link \(path) leads too far for a tar archive: \(target)")
    }
    var header = [UInt8](repeating: 0, count: Self.block)
    func put(_ text: String, at offset: Int) { header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
    put(name, at: 0)
    put(Self.octal(isExecutable ? 0o755 : 0o644, digits: 7), at: 100)
    put(Self.octal(0, digits: 7), at: 108)
    put(Self.octal(0, digits: 7), at: 116)
    put(Self.octal(size, digits: 11), at: 124)
    put(Self.octal(0, digits: 11), at: 136)
    put(String(repeating: " ", count: 8), at: 148)
    put(String(kind.rawValue), at: 156)
    put(target, at: 157)
    put("ustar", at: 257)
    put("00", at: 263)
    put(prefix, at: 345)
    put(Self.octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
    try write(Data(header))
  }

  /// A path as the two fields of a header, between which a slash is to be thought.
  private static func split(_ path: String) throws -> (prefix: String, name: String) {
    if path.utf8.count <= maxName { return ("", path) }
    for index in path.indices where path[index] == "/" {
      let (prefix, name) = (path[..<index], path[path.index(after: index)...])
      if name.utf8.count <= maxName, prefix.utf8.count <= maxPrefix, !name.isEmpty { return (String(prefix), String(name)) }
    }
    throw CommandFailure("the path \(path) is too long for a tar archive")
  }

  private static func octal(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  private func pad(after size: Int) throws {
    try write(Data(count: (Self.block - size % Self.block) % Self.block))
  }

  private func write(_ bytes: Data) throws {
    hash.update(data: bytes)
    try handle.write(contentsOf: bytes)
  }
}
