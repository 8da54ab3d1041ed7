import Foundation

/// The shared libraries that programs link to, as this machine's loader finds them.
enum SharedLibraries {
  /// Absolute paths of the libraries and of the loader, sorted; none for what is linked statically.
  ///
  /// - Throws: `CommandFailure` when a library is missing, or `ldd` cannot be run.
  static func needed(by files: [String]) throws -> [String] {
    guard !files.isEmpty else { return [] }
    // Its status says nothing: it fails for a program without libraries.
    let text = try Tool.run("ldd", files).output
    return try paths(inListing: text)
  }

  /// What `ldd` lists: `name => /path (address)`, `/path (address)` for the loader, `name (address)` for what the kernel provides, and
  /// `/file:` before each file if there are several.
  static func paths(inListing text: String) throws -> [String] {
    var paths: Set<String> = []
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count >= 3, words[1] == "=>" {
        guard words[2] != "not" else {
          throw CommandFailure("the library \(words[0]) is missing on this machine: install it first")
        }
        if words[2].hasPrefix("/") { paths.insert(String(words[2])) }
      } else if let first = words.first, first.hasPrefix("/"), !first.hasSuffix(":") {
        paths.insert(String(first))
      }
    }
    return paths.sorted()
  }
}

/// Programs of this machine that do a part of the work.
enum Tool {
  /// Runs a program found in `PATH` to its end and returns its status and what it wrote to standard output.
  ///
  /// - Throws: `CommandFailure` when it is not there.
  static func run(_ name: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { throw CommandFailure("\(name) cannot be run: \(error)") }
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus != 127 else { throw CommandFailure("\(name) is not installed (Debian: binutils, libc-bin)") }
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }
}
