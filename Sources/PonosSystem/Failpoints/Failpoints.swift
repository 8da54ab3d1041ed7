import Foundation
import Synchronization

/// The failpoint at which this process is to end itself, if any. The daemon hands this value to every part that passes a `Failpoint`.
///
/// In ordinary operation none is armed, and passing one costs a comparison with nil.
package struct Failpoints: Sendable {
  /// The variable of the daemon's environment that arms one: `NAME`, or `NAME:COUNT` for its COUNT-th pass.
  package static let variable = "PONOS_FAILPOINT"

  private let onPass: (@Sendable (Failpoint) -> Void)?

  /// No failpoint does anything.
  package static let disarmed = Failpoints(onPass: nil)

  private init(onPass: (@Sendable (Failpoint) -> Void)?) {
    self.onPass = onPass
  }

  /// Calls `observe` at every failpoint, and goes on.
  package init(observe: @escaping @Sendable (Failpoint) -> Void) {
    self.init(onPass: observe)
  }

  /// Arms what `environment` says, if it says anything: the process then ends by SIGKILL, as if by a crash.
  package init(environment: [String: String]) throws(FailpointError) {
    guard let text = environment[Self.variable], !text.isEmpty else {
      self = .disarmed
      return
    }
    let (point, count) = try Self.parse(text)
    let passes = Mutex(0)
    self.init { passed in
      guard passed == point else { return }
      let isDue = passes.withLock { passes in
        passes += 1
        return passes == count
      }
      if isDue { Self.crash(at: point) }
    }
  }

  package var isArmed: Bool { onPass != nil }

  /// Says that `point` is reached. May not return.
  @inline(__always)
  package func pass(_ point: Failpoint) {
    if let onPass { onPass(point) }
  }

  /// The failpoint that `text` names, and at which of its passes it is due.
  static func parse(_ text: String) throws(FailpointError) -> (point: Failpoint, count: Int) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let point = Failpoint(rawValue: String(parts[0])) else { throw .unknown(text) }
    guard parts.count == 2 else { return (point, 1) }
    guard let count = Int(parts[1]), count > 0 else { throw .notACount(text) }
    return (point, count)
  }

  /// Ends the process with nothing flushed, closed or told.
  private static func crash(at point: Failpoint) -> Never {
    // The logger may hold lines back, so this line is written without it.
    let words = Array("failpoint \(point.rawValue): ending by SIGKILL\n".utf8)
    _ = write(STDERR_FILENO, words, words.count)
    kill(getpid(), SIGKILL)
    while true { pause() }
  }
}

/// `PONOS_FAILPOINT` names no failpoint. The daemon refuses to start, because a test that relied on it would prove nothing.
package enum FailpointError: Error, Equatable, CustomStringConvertible {
  case unknown(String)
  case notACount(String)

  package var code: String {
    switch self {
    case .unknown: "unknown_failpoint"
    case .notACount: "invalid_failpoint_count"
    }
  }

  package var description: String {
    let cure = "unset it in ordinary operation; in tests give NAME or NAME:COUNT, with a name from docs/testing.md"
    return switch self {
    case .unknown(let text): "\(Failpoints.variable) is '\(text)', which names no failpoint; \(cure) (\(code))"
    case .notACount(let text): "\(Failpoints.variable) is '\(text)', whose count is not 1 or more; \(cure) (\(code))"
    }
  }
}
