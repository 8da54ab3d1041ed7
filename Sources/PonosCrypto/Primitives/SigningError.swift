import PonosCore

/// Why no signature was made.
package enum SigningError: Error, Equatable, Sendable {
  /// A certificate of one curve given to a key of the other.
  case wrongCurve(key: SignatureCurve, certificate: SignatureCurve)
  /// The new signature did not verify against this key's own public key, so it was thrown away.
  case selfVerificationFailed
  /// The curve library reported failure, which correct inputs never cause.
  case libraryFailure

  /// Stable name for logs and replies.
  package var code: String {
    switch self {
    case .wrongCurve: "wrong_curve"
    case .selfVerificationFailed: "self_verification_failed"
    case .libraryFailure: "library_failure"
    }
  }

  /// What is wrong and what to do.
  package var message: String {
    switch self {
    case .wrongCurve(let key, let certificate):
      "a \(key.rawValue) key cannot sign a \(certificate.rawValue) certificate: configure a key for the operator set's curve"
    case .selfVerificationFailed:
      "the new signature did not verify and was discarded: suspect faulty memory or processor, and test the machine"
    case .libraryFailure:
      "the curve library failed: suspect a damaged installation or faulty memory, and restart"
    }
  }
}

extension SigningError: CustomStringConvertible {
  package var description: String { "\(code): \(message)" }
}
