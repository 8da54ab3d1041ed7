import Foundation

/// How much the proofs do: those tests that search, with dice or by numbers, for what breaks a promise.
package enum ProofSize {
  /// `PONOS_PROOF_SIZE`: what to multiply the standard sizes by. 1 unless given; 0.1 is a quick look, 10 a night's work.
  package static let factor = max(0, ProcessInfo.processInfo.environment["PONOS_PROOF_SIZE"].flatMap { Double($0) } ?? 1)

  /// The size of one proof.
  ///
  /// - Parameters:
  ///   - standard: What a run of all tests does.
  ///   - least: Below this the proof would prove nothing.
  ///   - variable: One of the environment that says the number itself, for this proof alone.
  package static func of(_ standard: Int, least: Int = 1, variable: String) -> Int {
    number(variable) ?? max(least, Int((Double(standard) * factor).rounded()))
  }

  /// A number of the environment; nil when it is not there or no number.
  package static func number<Number: FixedWidthInteger>(_ variable: String, as type: Number.Type = Int.self) -> Number? {
    ProcessInfo.processInfo.environment[variable].flatMap { Number($0) }
  }
}
