import Glibc
import SystemPackage

/// Why a file could not be made, written or named.
package struct FileError: Error, Equatable, Sendable {
  /// What was tried, as a message says it after "could not".
  package enum Action: String, Sendable {
    case make
    case open
    case write
    case protect = "take away others' access to"
    case synchronize
    case name
  }

  package let action: Action
  /// The file or directory it was tried on.
  package let path: String
  package let cause: Errno

  init(_ action: Action, _ path: String, _ cause: Errno) {
    self.action = action
    self.path = path
    self.cause = cause
  }

  /// The error of a call that threw, which the calls of swift-system do with an `Errno` only.
  init(_ action: Action, _ path: String, thrown: any Error) {
    self.init(action, path, thrown as? Errno ?? .ioError)
  }

  /// The error of a call of the C library that has just failed.
  static func last(_ action: Action, _ path: String) -> FileError {
    FileError(action, path, Errno(rawValue: errno))
  }

  /// Whether another file has the name already.
  package var isTaken: Bool { cause == .fileExists }

  /// Whether the disk, or this user's share of it, is full.
  package var isDiskFull: Bool { cause == .noSpace || cause == .diskQuotaExceeded }

  /// What the system says is wrong.
  package var reason: String { "\(cause)" }

  /// What was tried, on what, and what is wrong.
  package var message: String { "could not \(action.rawValue) \(path): \(reason)" }
}

extension FileError: CustomStringConvertible {
  package var description: String { message }
}
