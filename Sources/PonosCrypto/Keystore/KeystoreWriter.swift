import FoundationEssentials
import PonosCore

/// Writes keys into keystores, as JSON text.
package enum KeystoreWriter {
  /// EIP-2335 version 4, in the form that the public executor reads for BN254: public key in G2, uncompressed.
  package static func eip2335(
    _ key: SigningKey, password: SecretBytes, cost: ScryptCost = .standard
  ) throws(KeystoreError) -> [UInt8] {
    let seal = try KeystoreSeal.make(key.scalar, check: .sha256, kdf: freshKDF(cost), password: password)
    let block = KeystoreDocument.EIP2335Block(
      kdf: .init(function: "scrypt", params: parameters(cost, of: seal), message: ""),
      checksum: .init(function: "sha256", params: .init(), message: Hex.encode(seal.checkValue)),
      cipher: .init(
        function: "aes-128-ctr", params: .init(iv: Hex.encode(seal.counter)), message: Hex.encode(seal.ciphertext)))
    let document = KeystoreDocument(
      version: 4, crypto: .eip2335(block), pubkey: Hex.encode(key.publicKeyBytes), curveType: key.curve.rawValue,
      description: "", path: key.curve == .bn254 ? "m/1/0/0" : "", uuid: UUID().uuidString.lowercased())
    return try document.encode()
  }

  /// Web3 secret storage version 3. For ECDSA it has the address, as other tools expect; for BN254, which those do not
  /// know, the public key and the curve instead.
  package static func web3(
    _ key: SigningKey, password: SecretBytes, cost: ScryptCost = .standard
  ) throws(KeystoreError) -> [UInt8] {
    let seal = try KeystoreSeal.make(key.scalar, check: .keccak256, kdf: freshKDF(cost), password: password)
    let block = KeystoreDocument.Web3Block(
      cipher: "aes-128-ctr", ciphertext: Hex.encode(seal.ciphertext), cipherparams: .init(iv: Hex.encode(seal.counter)),
      kdf: "scrypt", kdfparams: parameters(cost, of: seal), mac: Hex.encode(seal.checkValue))
    var document = KeystoreDocument(version: 3, crypto: .web3(block), id: UUID().uuidString.lowercased())
    switch key {
    case .ecdsa(let key):
      document.address = Hex.encode(key.address.bytes)
    case .bn254(let key):
      document.publicKey = Hex.encode(key.publicKey.bytes)
      document.curveType = SignatureCurve.bn254.rawValue
    }
    return try document.encode()
  }

  private static func freshKDF(_ cost: ScryptCost) -> KeystoreKDF {
    .scrypt(cost: cost, salt: Entropy.bytes(32))
  }

  private static func parameters(_ cost: ScryptCost, of seal: KeystoreSeal) -> KeystoreDocument.KDFParameters {
    .init(dklen: 32, salt: Hex.encode(seal.kdf.salt), n: .init(cost.n), r: .init(cost.r), p: .init(cost.p))
  }
}

extension KeystoreKDF {
  fileprivate var salt: [UInt8] {
    switch self {
    case .scrypt(_, let salt), .pbkdf2(_, let salt): salt
    }
  }
}

extension SigningKey {
  fileprivate var scalar: SecretBytes {
    switch self {
    case .ecdsa(let key): key.scalar
    case .bn254(let key): key.scalar
    }
  }

  fileprivate var publicKeyBytes: [UInt8] {
    switch self {
    case .ecdsa(let key): key.publicKey.bytes
    case .bn254(let key): key.publicKey.bytes
    }
  }
}
