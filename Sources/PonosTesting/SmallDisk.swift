import Foundation

/// A tmpfs of a few megabytes, to be filled; unmounted with its last reference.
package final class SmallDisk: Sendable {
  package let path: String

  package struct Failure: Error {}

  package init(at path: String, bytes: Int) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    guard Self.run(["mount", "-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", path]) else { throw Failure() }
    self.path = path
  }

  deinit { _ = Self.run(["umount", path]) }

  package func resize(bytes: Int) throws {
    guard Self.run(["mount", "-o", "remount,size=\(bytes)", path]) else { throw Failure() }
  }

  /// Whether this process may mount; tried out once.
  package static let isAvailable: Bool = {
    do {
      let directory = try TemporaryDirectory()
      _ = try SmallDisk(at: directory.file("probe"), bytes: 1 << 20)
      return true
    } catch {
      return false
    }
  }()

  private static func run(_ command: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      return false
    }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
