import Foundation

/// A directory beside the benchmark's executable: on the disk that holds the build, not on a memory file system as /tmp may be.
/// Removed when the last reference goes.
final class Workspace: Sendable {
  let url: URL

  init() throws {
    url = Self.products.appendingPathComponent("benchmark-\(getpid())-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    do {
      try FileManager.default.removeItem(at: url)
    } catch {
      print("could not remove \(url.path): \(error)")
    }
  }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Where the build put its executables.
  static var products: URL {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
  }
}

/// A system call or a library call failed.
struct SystemFailure: Error, CustomStringConvertible {
  let description: String

  /// Takes the reason from `errno`.
  init(_ action: String) {
    description = "could not \(action): \(String(cString: strerror(errno)))"
  }

  init(_ action: String, reason: String) {
    description = "could not \(action): \(reason)"
  }
}
