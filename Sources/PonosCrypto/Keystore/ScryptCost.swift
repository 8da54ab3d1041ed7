import CScrypt

/// How much work scrypt makes of a password.
package struct ScryptCost: Hashable, Sendable {
  /// Rounds, a power of two.
  package let n: Int
  /// Block size in units of 128 bytes.
  package let r: Int
  /// How many times the work is repeated.
  package let p: Int

  /// n 262144, r 8, p 1, as the common tools write: 256 MiB and about a second.
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

  /// The 32-byte key for `password`; takes 128 · n · r bytes of memory while it works.
  ///
  /// libscrypt computes it, because swift-crypto refuses an n of 2^(16r) and more, which the Web3 format's own example has with r = 1.
  func deriveKey(password: SecretBytes, salt: [UInt8]) throws(KeystoreError) -> SecretBytes {
    try SecretBytes(count: 32) { output throws(KeystoreError) in
      let status = password.withUnsafeBytes { password in
        libscrypt_scrypt(
          password.bindMemory(to: UInt8.self).baseAddress, password.count, salt, salt.count, UInt64(n), UInt32(r), UInt32(p),
          output.bindMemory(to: UInt8.self).baseAddress, output.count)
      }
      guard status == 0 else { throw .outOfMemory(bytes: memory) }
    }
  }

  /// Memory that the work takes, in bytes.
  private var memory: Int { 128 * n * r }

  private static func isAllowed(n: Int) -> Bool {
    (1024...1_048_576).contains(n) && n & (n - 1) == 0
  }
}
