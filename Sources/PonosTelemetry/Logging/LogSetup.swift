import Foundation
import Logging
import Synchronization

/// Sets up logging for the process: one line for each event, on standard error.
package enum LogSetup {
  /// To be called once, before the first logger is made.
  package static func bootstrap(level: Logger.Level, format: LogFormat) {
    let output = StandardError()
    LoggingSystem.bootstrap(
      { label, provider in
        var handler = LineLogHandler(label: label, format: format) { output.write($0) }
        handler.logLevel = level
        handler.metadataProvider = provider
        return handler
      }, metadataProvider: nil)
  }
}

/// Writes whole lines, one after another, whoever logs.
private final class StandardError: Sendable {
  private let lock = Mutex(())

  func write(_ line: String) {
    lock.withLock { _ in
      var bytes = Array(line.utf8)[...]
      while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if written < 0, errno == EINTR { continue }
        // Nobody reads the log any more; there is nobody to tell.
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
      }
    }
  }
}
