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
      throw .unsupported(field: field, value: Keystore.quote(function), supported: "scrypt or pbkdf2")
    }
  }

  /// The 32-byte key for `password`.
  func deriveKey(password: SecretBytes) throws(KeystoreError) -> SymmetricKey {
    do {
      return try password.withUnsafeBytes { bytes in
        switch self {
        case .scrypt(let cost, let salt):
          try KDF.Scrypt.deriveKey(
            from: bytes, salt: salt, outputByteCount: 32, rounds: cost.n, blockSize: cost.r, parallelism: cost.p)
        case .pbkdf2(let iterations, let salt):
          try KDF.Insecure.PBKDF2.deriveKey(
            from: bytes, salt: salt, using: .sha256, outputByteCount: 32, unsafeUncheckedRounds: iterations)
        }
      }
    } catch {
      throw .libraryFailure
    }
  }

  private static func iterations(
    _ parameters: KeystoreDocument.KDFParameters, field: String
  ) throws(KeystoreError) -> Int {
    if let function = parameters.prf, function != "hmac-sha256" {
      throw .unsupported(field: "\(field).prf", value: Keystore.quote(function), supported: "hmac-sha256")
    }
    guard let iterations = parameters.c?.value else { throw .malformed(field: "\(field).c", expected: "present") }
    guard (1000...10_000_000).contains(iterations) else {
      throw .outOfLimits(field: "\(field).c", allowed: "1000 to 10000000")
    }
    return iterations
  }
}

/// How much work scrypt makes of a password.
package struct ScryptCost: Hashable, Sendable {
  /// Rounds, a power of two.
  package let n: Int
  /// Block size in units of 128 bytes.
  package let r: Int
  /// How many times the work is repeated.
  package let p: Int

  /// n 262144, r 8, p 1: 256 MiB and about a second; what the common tools write.
  package static let standard = ScryptCost(uncheckedN: 262_144)
  /// n 4096: 4 MiB and some milliseconds; for tests and throw-away keys.
  package static let light = ScryptCost(uncheckedN: 4096)

  /// r 8 and p 1 with a power of two between 1024 and 1048576; nil for any other number.
  package init?(n: Int) {
    guard Self.isAllowed(n: n) else { return nil }
    self.init(uncheckedN: n)
  }

  private init(uncheckedN n: Int, r: Int = 8, p: Int = 1) {
    self.n = n
    self.r = r
    self.p = p
  }

  init(parameters: KeystoreDocument.KDFParameters, field: String) throws(KeystoreError) {
    guard let n = parameters.n?.value else { throw .malformed(field: "\(field).n", expected: "present") }
    guard let r = parameters.r?.value else { throw .malformed(field: "\(field).r", expected: "present") }
    guard let p = parameters.p?.value else { throw .malformed(field: "\(field).p", expected: "present") }
    guard Self.isAllowed(n: n) else {
      throw .outOfLimits(field: "\(field).n", allowed: "a power of two from 1024 to 1048576")
    }
    guard (1...32).contains(r) else { throw .outOfLimits(field: "\(field).r", allowed: "1 to 32") }
    guard (1...16).contains(p) else { throw .outOfLimits(field: "\(field).p", allowed: "1 to 16") }
    guard 128 * n * r <= 1 << 30 else {
      throw .outOfLimits(field: field, allowed: "such that 128 · n · r is at most 1 GiB")
    }
    self.init(uncheckedN: n, r: r, p: p)
  }

  private static func isAllowed(n: Int) -> Bool {
    (1024...1_048_576).contains(n) && n & (n - 1) == 0
  }
}
