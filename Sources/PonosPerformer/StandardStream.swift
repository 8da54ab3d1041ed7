#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Synchronization

/// Standard output or standard error, written line by line.
final class StandardStream: Sendable {
  private let descriptor: Int32
  // Lines of concurrent tasks do not mix.
  private let lock = Mutex(())

  /// Standard output.
  static func output() -> StandardStream { StandardStream(STDOUT_FILENO) }

  /// Standard error.
  static func errors() -> StandardStream { StandardStream(STDERR_FILENO) }

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// Writes a line. One that cannot be written, since nobody reads the stream any more, is dropped: a log is no reason to stop.
  func write(_ line: String) {
    lock.withLock { _ in
      var rest = Array((line + "\n").utf8)[...]
      while !rest.isEmpty {
        let written = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { return }
        rest = rest.dropFirst(written)
      }
    }
  }
}

// Inside the class the name would mean its own method.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
