import PonosCore

/// A private key encrypted under a password, read from JSON and not opened yet.
package struct Keystore: Sendable {
  /// Longest text that is read, in bytes.
  package static let maximumSize = 2 * 1024 * 1024

  package enum Format: String, Hashable, Sendable {
    /// EIP-2335 version 4.
    case eip2335
    /// Web3 secret storage version 3.
    case web3
    /// A Web3 block under version 4, as older BN254 keystores have it.
    case legacy
  }

  package let format: Format
  private let seal: KeystoreSeal
  private let claims: KeystoreClaims

  /// Reads the JSON text and checks everything that can be checked without the password.
  package init(json: [UInt8]) throws(KeystoreError) {
    guard json.count <= Self.maximumSize else {
      throw .tooLarge(byteCount: json.count, maximum: Self.maximumSize)
    }
    let document = try KeystoreDocument.decode(json)
    let version = document.version?.value
    switch document.crypto {
    case .eip2335(let block):
      format = .eip2335
      seal = try KeystoreSeal(block)
    case .web3(let block):
      format = version == 4 ? .legacy : .web3
      seal = try KeystoreSeal(block)
    }
    try Self.checkVersion(version, format: format)
    claims = try KeystoreClaims(document)
  }

  /// Opens the keystore and makes sure that the key inside is of `curve` and the one the file says it holds.
  package func decrypt(password: SecretBytes, as curve: SignatureCurve) throws(KeystoreError) -> SigningKey {
    try claims.check(curve)
    let secret = try secret(password: password)
    switch curve {
    case .ecdsa: return .ecdsa(try claims.ecdsaKey(secret))
    case .bn254: return .bn254(try claims.bn254Key(secret))
    }
  }

  /// The bytes inside, for any curve; `wrongPassword` when the password does not open them.
  package func secret(password: SecretBytes) throws(KeystoreError) -> SecretBytes {
    try seal.open(password: password)
  }

  /// How the password is turned into a key.
  var kdf: KeystoreKDF { seal.kdf }

  /// EIP-2335 keystores may lack a version, which the public executor does not look at.
  private static func checkVersion(_ version: Int?, format: Format) throws(KeystoreError) {
    switch (format, version) {
    case (.eip2335, nil), (.eip2335, 4), (.legacy, 4), (.web3, 3): break
    case (_, nil): throw .malformed(field: "version", expected: "present")
    case (_, let version?): throw .unsupported(field: "version", value: "\(version)", supported: "3 (Web3) or 4 (EIP-2335)")
    }
  }
}

extension KeystoreSeal {
  fileprivate init(_ block: KeystoreDocument.EIP2335Block) throws(KeystoreError) {
    try require(block.cipher.function, is: "aes-128-ctr", field: "crypto.cipher.function")
    try require(block.checksum.function, is: "sha256", field: "crypto.checksum.function")
    check = .sha256
    kdf = try KeystoreKDF(function: block.kdf.function, parameters: block.kdf.params, field: "crypto.kdf.params")
    counter = try bytes(block.cipher.params.iv, count: 16, field: "crypto.cipher.params.iv")
    ciphertext = try bytes(block.cipher.message, count: nil, field: "crypto.cipher.message")
    checkValue = try bytes(block.checksum.message, count: 32, field: "crypto.checksum.message")
  }

  fileprivate init(_ block: KeystoreDocument.Web3Block) throws(KeystoreError) {
    try require(block.cipher, is: "aes-128-ctr", field: "crypto.cipher")
    check = .keccak256
    kdf = try KeystoreKDF(function: block.kdf, parameters: block.kdfparams, field: "crypto.kdfparams")
    counter = try bytes(block.cipherparams.iv, count: 16, field: "crypto.cipherparams.iv")
    ciphertext = try bytes(block.ciphertext, count: nil, field: "crypto.ciphertext")
    checkValue = try bytes(block.mac, count: 32, field: "crypto.mac")
  }
}

/// Throws unless a field that names an algorithm names the only one there is.
private func require(_ value: String, is expected: String, field: String) throws(KeystoreError) {
  guard value == expected else { throw .unsupported(field: field, value: KeystoreError.quote(value), supported: expected) }
}

/// The bytes a hex field spells; `count` of them, or at least one for nil.
private func bytes(_ text: String, count: Int?, field: String) throws(KeystoreError) -> [UInt8] {
  guard let bytes = Hex.decode(text), !bytes.isEmpty, count == nil || bytes.count == count else {
    throw .malformed(field: field, expected: count.map { "\($0) bytes in hex digits" } ?? "bytes in hex digits")
  }
  return bytes
}

extension SigningKey {
  /// Opens the JSON text of a keystore (EIP-2335 version 4, Web3 version 3, or the older mixture of both).
  package init(curve: SignatureCurve, keystore: [UInt8], password: SecretBytes) throws(KeystoreError) {
    self = try Keystore(json: keystore).decrypt(password: password, as: curve)
  }
}
