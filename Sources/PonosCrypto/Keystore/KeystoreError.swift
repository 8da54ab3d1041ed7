import PonosCore

/// Why a keystore could not be opened or written. Never says what is inside it.
package enum KeystoreError: Error, Equatable, Sendable {
  /// Longer than the `maximum` that is read.
  case tooLarge(byteCount: Int, maximum: Int)
  case notJSON
  /// A field that is missing or of the wrong kind; `field` is its path, such as "crypto.kdf.params.n".
  case malformed(field: String, expected: String)
  /// A field that names something this executor does not know.
  case unsupported(field: String, value: String, supported: String)
  /// A number outside the range that is safe to work with.
  case outOfLimits(field: String, allowed: String)
  /// The check value does not fit: the password is wrong, or the file is damaged.
  case wrongPassword
  /// The password is not UTF-8, which EIP-2335 needs for its normalisation.
  case passwordNotText
  /// The decrypted key is not the one the file says it holds; `derived` is what its public key or address really is.
  case publicKeyMismatch(derived: String)
  /// The file says it holds a key of another curve than the one asked for.
  case curveMismatch(keystore: String, requested: SignatureCurve)
  /// What was decrypted is no private key of the curve.
  case invalidKey(KeyError)
  /// The key derivation was refused the memory that the file's parameters ask for.
  case outOfMemory(bytes: Int)
  /// The key derivation, the cipher or the JSON encoder failed, which checked input never makes them do.
  case libraryFailure

  /// Stable name for logs and replies.
  package var code: String {
    switch self {
    case .tooLarge: "keystore_too_large"
    case .notJSON: "keystore_not_json"
    case .malformed: "keystore_format"
    case .unsupported: "keystore_unsupported"
    case .outOfLimits: "keystore_limits"
    case .wrongPassword: "wrong_password"
    case .passwordNotText: "password_not_text"
    case .publicKeyMismatch: "public_key_mismatch"
    case .curveMismatch: "curve_mismatch"
    case .invalidKey: "invalid_key"
    case .outOfMemory: "keystore_out_of_memory"
    case .libraryFailure: "keystore_library_failure"
    }
  }

  /// What is wrong and what to do.
  package var message: String {
    switch self {
    case .tooLarge(let byteCount, let maximum):
      "the keystore has \(byteCount) bytes, at most \(maximum) are read: check that the path names a keystore"
    case .notJSON:
      "the keystore is not a JSON object: check that the path names a keystore, and that it was copied whole"
    case .malformed(let field, let expected):
      "the keystore's \(field) should be \(expected): check that the file was copied whole, or export it again"
    case .unsupported(let field, let value, let supported):
      "the keystore's \(field) is \"\(value)\", supported is \(supported): export the key again in that form"
    case .outOfLimits(let field, let allowed):
      "the keystore's \(field) has to be \(allowed): export the key again with parameters in that range"
    case .wrongPassword:
      "the password does not open the keystore: check the password and that it belongs to this file (or the file is damaged)"
    case .passwordNotText:
      "the password is not UTF-8 text: store it in UTF-8"
    case .publicKeyMismatch(let derived):
      "the key inside the keystore belongs to \(derived), not to the public key or address written in the file: "
        + "the file was altered or put together from two"
    case .curveMismatch(let keystore, let requested):
      "the keystore holds a \(keystore) key where a \(requested.rawValue) key is configured: "
        + "name the keystore of the right curve"
    case .invalidKey(let error):
      "the keystore opens but holds no usable key: \(error.message)"
    case .outOfMemory(let bytes):
      "the keystore's password hashing needs \(bytes >> 20) MiB of memory and did not get them: free memory or raise the limit"
    case .libraryFailure:
      "the cryptographic library failed: suspect a damaged installation or a lack of memory"
    }
  }
}

extension KeystoreError {
  /// A value from the file, short enough for an error message and without control characters.
  static func quote(_ value: String) -> String {
    String(value.unicodeScalars.filter { $0.value >= 0x20 && $0.value < 0x7f }.prefix(32).map(Character.init))
  }
}

extension KeystoreError: CustomStringConvertible {
  package var description: String { "\(code): \(message)" }
}
