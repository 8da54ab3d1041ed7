import PonosCore

/// What a keystore says in the clear about the key inside. It is compared with the key itself once that is open.
struct KeystoreClaims: Sendable {
  /// Name of the curve; nil when the file does not say.
  private let curve: String?
  /// In any encoding of the curve; nil when the file has none.
  private let publicKey: [UInt8]?
  private let address: EthereumAddress?

  init(_ document: KeystoreDocument) throws(KeystoreError) {
    curve = document.curveType ?? document.curve
    let pubkey = try Self.bytes(document.pubkey, field: "pubkey")
    let publicKey = try Self.bytes(document.publicKey, field: "publicKey")
    self.publicKey = pubkey ?? publicKey
    guard let address = try Self.bytes(document.address, field: "address") else {
      self.address = nil
      return
    }
    guard let address = EthereumAddress(address) else {
      throw .malformed(field: "address", expected: "20 bytes in hex digits")
    }
    self.address = address
  }

  /// Throws when the file names another curve than `requested`.
  func check(_ requested: SignatureCurve) throws(KeystoreError) {
    guard let curve, !curve.isEmpty else { return }
    let matches =
      switch requested {
      case .ecdsa: ["ecdsa", "secp256k1"].contains(curve.lowercased())
      case .bn254: curve.lowercased() == "bn254"
      }
    guard matches else { throw .curveMismatch(keystore: KeystoreError.quote(curve), requested: requested) }
  }

  /// The ECDSA key of `secret`, after comparing what the file says.
  func ecdsaKey(_ secret: SecretBytes) throws(KeystoreError) -> ECDSAPrivateKey {
    let key: ECDSAPrivateKey
    do {
      key = try ECDSAPrivateKey(scalar: secret)
    } catch {
      throw .invalidKey(error)
    }
    let known = [
      key.publicKey.bytes, Array(key.publicKey.bytes.dropFirst()), key.publicKey.compressed, key.address.bytes,
    ]
    guard isAmong(known), address == nil || address == key.address else {
      throw .publicKeyMismatch(derived: key.address.description)
    }
    return key
  }

  /// The BN254 key of `secret`, after comparing what the file says.
  ///
  /// Some older keystores hold the scalar as decimal digits, and some of those mean the digits' bytes as an integer: the
  /// public key in the file tells which.
  func bn254Key(_ secret: SecretBytes) throws(KeystoreError) -> BN254PrivateKey {
    guard !isAccount(secret) else { throw .curveMismatch(keystore: "secp256k1", requested: .bn254) }
    let key: BN254PrivateKey
    do {
      key = try BN254PrivateKey(scalar: secret)
      if isOf(key) { return key }
      if let decimal = secret.withUnsafeBytes({ BN254Scalar.decimal($0) }) {
        let other = try BN254PrivateKey(reduced: decimal)
        if isOf(other) { return other }
      }
    } catch {
      throw .invalidKey(error)
    }
    throw .publicKeyMismatch(derived: key.publicKey.description)
  }

  /// Whether the file is an Ethereum account's: it names no BN254 key, and its address is the secret's on secp256k1. Any 32
  /// bytes make a BN254 key, so nothing else would tell.
  private func isAccount(_ secret: SecretBytes) -> Bool {
    guard publicKey == nil, let address else { return false }
    do {
      return try ECDSAPrivateKey(scalar: secret).address == address
    } catch {
      // No secp256k1 scalar, so no account either.
      return false
    }
  }

  private func isOf(_ key: BN254PrivateKey) -> Bool {
    isAmong([key.publicKey.bytes, key.publicKey.compressed, key.publicKeyG1, key.publicKeyG1Compressed])
  }

  private func isAmong(_ encodings: [[UInt8]]) -> Bool {
    guard let publicKey else { return true }
    return encodings.contains(publicKey)
  }

  /// The bytes a hex field spells; nil when it is missing or empty.
  private static func bytes(_ text: String?, field: String) throws(KeystoreError) -> [UInt8]? {
    guard let text, !text.isEmpty else { return nil }
    guard let bytes = Hex.decode(text) else { throw .malformed(field: field, expected: "hex digits") }
    return bytes.isEmpty ? nil : bytes
  }
}
