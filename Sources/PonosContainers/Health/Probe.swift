import PonosCore

/// A way to ask after one performer's health.
package protocol Probe: Sendable {
  /// Asks once. Answers within `timeout`, whatever happens.
  func check(timeout: Duration) async -> ProbeResult
}
