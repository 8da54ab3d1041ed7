import PonosCore

/// Why a signature was not accepted.
package enum SignatureError: Error, Equatable, Sendable {
  /// The bytes are no signature of the curve at all.
  case malformed(Malformation)
  /// An ECDSA signature by another key; the address it recovers to, nil where none can be recovered.
  case wrongSigner(recovered: EthereumAddress?, expected: EthereumAddress)
  /// A BLS signature that does not verify: another key, or another message.
  case doesNotVerify
  /// A certificate of one curve put to a key of the other.
  case wrongCurve(key: SignatureCurve, message: SignatureCurve)

  /// What is wrong with the bytes.
  package enum Malformation: Equatable, Sendable {
    case length(expected: Int, actual: Int)
    /// r or s is zero or not below the group order.
    case scalarOutOfRange
    /// s is in the upper half of its range, where anyone can make a second valid signature.
    case highS
    /// v is none of 0, 1, 27, 28.
    case recoveryID(UInt8)
    /// A coordinate is not below the field's modulus, or the point is off the curve.
    case notOnCurve
    case wrongSubgroup
    case infinity
    case unknownEncoding
  }

  /// Stable name for logs and replies.
  package var code: String {
    switch self {
    case .malformed: "malformed_signature"
    case .wrongSigner, .doesNotVerify: "wrong_signer"
    case .wrongCurve: "wrong_curve"
    }
  }

  /// What is wrong and what to do.
  package var message: String {
    switch self {
    case .malformed(let malformation): "malformed signature: \(malformation.message)"
    case .wrongSigner(let recovered?, let expected):
      "signed by \(recovered), expected \(expected): sign with the registered key, over exactly the fields that are sent"
    case .wrongSigner(nil, let expected):
      "no signer can be recovered, expected \(expected): sign with the registered key, over exactly the fields that are sent"
    case .doesNotVerify:
      "the signature does not verify: sign with the registered key, over exactly the fields that are sent"
    case .wrongCurve(let key, let message):
      "a \(key.rawValue) key cannot verify a \(message.rawValue) certificate"
    }
  }
}

extension SignatureError.Malformation {
  fileprivate var message: String {
    switch self {
    case .length(let expected, let actual): "it has \(actual) bytes, exactly \(expected) are needed"
    case .scalarOutOfRange: "r and s must be above zero and below the group order"
    case .highS: "s is in the upper half of its range; send the low-s form"
    case .recoveryID(let value): "v is \(value), it must be 27 or 28 (0 and 1 are accepted)"
    case .notOnCurve: "it is not a point of the curve"
    case .wrongSubgroup: "the point is outside the prime-order subgroup"
    case .infinity: "it is the point at infinity"
    case .unknownEncoding: "its flag bits do not fit its length"
    }
  }
}

extension SignatureError: CustomStringConvertible {
  package var description: String { "\(code): \(message)" }
}
