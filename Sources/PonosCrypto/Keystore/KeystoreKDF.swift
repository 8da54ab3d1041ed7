import Crypto
import CryptoExtras
import FoundationEssentials
import PonosCore

/// A keystore's key derivation: password in, 32 bytes out, its cost within limits that keep a hostile file from
/// exhausting the machine.
enum KeystoreKDF: Equatable, Sendable {
  case scrypt(cost: ScryptCost, salt: [UInt8])
  /// PBKDF2 with HMAC-SHA256.
  case pbkdf2(iterations: Int, salt: [UInt8])

  /// Checks the parameters of `function`; `field` is the path of the parameters, for errors.
  init(function: String, parameters: KeystoreDocument.KDFParameters, field: String) throws(KeystoreError) {
    guard parameters.dklen.value == 32 else { throw .outOfLimits(field: "\(field).dklen", allowed: "32") }
    guard let salt = Hex.decode(parameters.salt) else { throw .malformed(field: "\(field).salt", expected: "hex digits") }
    guard (16...64).contains(salt.count) else {
      throw .outOfLimits(field: "\(field).salt", allowed: "16 to 64 bytes")
    }
    switch function {
    case "scrypt":
      self = .scrypt(cost: try ScryptCost(parameters: parameters, field: field), salt: salt)
    case "pbkdf2":
      self = .pbkdf2(iterations: try Self.iterations(parameters, field: field), salt: salt)
    default:
      throw .unsupported(field: field, value: KeystoreError.quote(function), supported: "scrypt or pbkdf2")
    }
  }

  /// The 32-byte key for `password`.
  func deriveKey(password: SecretBytes) throws(KeystoreError) -> SymmetricKey {
    switch self {
    case .scrypt(let cost, let salt):
      try cost.deriveKey(password: password, salt: salt).withUnsafeBytes { SymmetricKey(data: $0) }
    case .pbkdf2(let iterations, let salt): try Self.pbkdf2(iterations, password: password, salt: salt)
    }
  }

  private static func pbkdf2(
    _ iterations: Int, password: SecretBytes, salt: [UInt8]
  ) throws(KeystoreError) -> SymmetricKey {
    do {
      return try password.withUnsafeBytes { bytes in
        try KDF.Insecure.PBKDF2.deriveKey(
          from: bytes, salt: salt, using: .sha256, outputByteCount: 32, unsafeUncheckedRounds: iterations)
      }
    } catch {
      throw .libraryFailure
    }
  }

  private static func iterations(
    _ parameters: KeystoreDocument.KDFParameters, field: String
  ) throws(KeystoreError) -> Int {
    if let function = parameters.prf, function != "hmac-sha256" {
      throw .unsupported(field: "\(field).prf", value: KeystoreError.quote(function), supported: "hmac-sha256")
    }
    guard let iterations = parameters.c?.value else { throw .malformed(field: "\(field).c", expected: "present") }
    guard (1000...10_000_000).contains(iterations) else {
      throw .outOfLimits(field: "\(field).c", allowed: "1000 to 10000000")
    }
    return iterations
  }
}
