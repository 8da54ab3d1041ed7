import Foundation

/// A directory for one test, removed with its last reference.
package final class TemporaryDirectory: Sendable {
  package let path: String

  /// - Parameter inMemory: Where files need not survive anything but the test: on a file system in memory, if there is one.
  package init(inMemory: Bool = false) throws {
    let memory = "/dev/shm/"
    let parent = inMemory && access(memory, W_OK) == 0 ? memory : NSTemporaryDirectory()
    path = parent + "ponos-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      print("could not remove \(path): \(error)")
    }
  }

  package func file(_ name: String) -> String { path + "/" + name }
}
