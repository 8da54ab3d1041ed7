import ArgumentParser
import Foundation
import Glibc

/// Writes to standard output and standard error.
enum Console {
  /// The status that a shell reports for a program that wrote to a closed pipe: 128 and the number of SIGPIPE.
  private static let brokenPipe = ExitCode(128 + SIGPIPE)

  /// Data, to standard output.
  ///
  /// - Throws: An exit code without a message when the reader is gone, as in `… | head`; a `CommandFailure` for other errors.
  static func print(_ text: String) throws {
    switch write(text + "\n", to: STDOUT_FILENO) {
    case nil: return
    case EPIPE: throw brokenPipe
    case let number?: throw CommandFailure("standard output cannot be written: \(String(cString: strerror(number)))")
    }
  }

  /// A value as pretty JSON with sorted keys, to standard output; throws like `print`.
  static func print(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try Console.print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// Progress and diagnostics, to standard error.
  static func note(_ text: String) {
    show(text + "\n")
  }

  /// Progress and diagnostics, to standard error, without a line break.
  static func show(_ text: String) {
    // A failure to write diagnostics cannot be reported anywhere.
    _ = write(text, to: STDERR_FILENO)
  }

  /// Writes all of `text`; returns the number of the error, or nil.
  private static func write(_ text: String, to descriptor: Int32) -> Int32? {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno == EAGAIN {
        // Another process that shares the terminal made it non-blocking.
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}
