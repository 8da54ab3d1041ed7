import Crypto
import CryptoExtras
import FoundationEssentials
import PonosCore

/// The encrypted part of a keystore: AES-128 in counter mode under a key derived from the password, and a check value
/// over the ciphertext. EIP-2335 and Web3 differ only in the password's bytes and the check's hash.
struct KeystoreSeal: Equatable, Sendable {
  enum Check: Equatable, Sendable {
    /// SHA-256 (EIP-2335); passwords are normalised.
    case sha256
    /// Keccak-256 (Web3); passwords are taken as they come.
    case keccak256
  }

  var check: Check
  var kdf: KeystoreKDF
  /// Full initial counter block, 16 bytes.
  var counter: [UInt8]
  var ciphertext: [UInt8]
  /// 32 bytes.
  var checkValue: [UInt8]

  /// The secret inside; `wrongPassword` when the check value does not fit.
  func open(password: SecretBytes) throws(KeystoreError) -> SecretBytes {
    let key = try Self.key(kdf, check: check, password: password)
    guard key.checkValue(over: ciphertext, check: check) == checkValue else { throw .wrongPassword }
    var plaintext = try key.cipher(ciphertext, counter: counter)
    defer { plaintext.withUnsafeMutableBytes { Wipe.zero($0) } }
    return SecretBytes(copying: plaintext)
  }

  /// Encrypts `secret` under a fresh counter block.
  static func make(
    _ secret: SecretBytes, check: Check, kdf: KeystoreKDF, password: SecretBytes
  ) throws(KeystoreError) -> KeystoreSeal {
    let key = try key(kdf, check: check, password: password)
    let counter = Entropy.bytes(16)
    let ciphertext = try secret.withUnsafeBytes { bytes throws(KeystoreError) in
      Array(try key.cipher(bytes, counter: counter))
    }
    return KeystoreSeal(
      check: check, kdf: kdf, counter: counter, ciphertext: ciphertext,
      checkValue: key.checkValue(over: ciphertext, check: check))
  }

  private static func key(
    _ kdf: KeystoreKDF, check: Check, password: SecretBytes
  ) throws(KeystoreError) -> SymmetricKey {
    switch check {
    case .sha256: try kdf.deriveKey(password: KeystorePassword.normalized(password))
    case .keccak256: try kdf.deriveKey(password: password)
    }
  }
}

extension SymmetricKey {
  /// The hash of this key's second half and `ciphertext`.
  fileprivate func checkValue(over ciphertext: [UInt8], check: KeystoreSeal.Check) -> [UInt8] {
    withUnsafeBytes { key in
      let half = UnsafeRawBufferPointer(rebasing: key[16..<32])
      switch check {
      case .sha256:
        var hash = SHA256()
        hash.update(bufferPointer: half)
        hash.update(data: ciphertext)
        return Array(hash.finalize())
      case .keccak256:
        var hash = Keccak256()
        hash.update(half)
        hash.update(ciphertext)
        return hash.finalize().bytes
      }
    }
  }

  /// Encrypts or decrypts, which is the same in counter mode, with this key's first half.
  fileprivate func cipher(_ input: some DataProtocol, counter: [UInt8]) throws(KeystoreError) -> Data {
    let half = withUnsafeBytes { SymmetricKey(data: UnsafeRawBufferPointer(rebasing: $0[..<16])) }
    do {
      return try AES._CTR.encrypt(input, using: half, nonce: AES._CTR.Nonce(nonceBytes: counter))
    } catch {
      throw .libraryFailure
    }
  }
}
