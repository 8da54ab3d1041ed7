import PonosCore
import PonosCrypto
import PonosTesting
import Testing

@Suite struct ECDSATests {
  @Test(arguments: try Vectors.of("secp256k1_key"))
  func derivesPublicKeyAndAddress(_ vector: TestVector) throws {
    let key = try TestKeys.ecdsa(vector.inputs.string("private_key_hex"))
    let uncompressed = try vector.outputs.bytes("public_key_uncompressed_hex")
    let compressed = try vector.outputs.bytes("public_key_compressed_hex")
    #expect(key.publicKey.bytes == uncompressed)
    #expect(key.publicKey.compressed == compressed)
    #expect(key.address == (try vector.outputs.address("address")))
    #expect(try ECDSAPublicKey(bytes: uncompressed) == key.publicKey)
    #expect(try ECDSAPublicKey(bytes: compressed) == key.publicKey)
  }

  @Test(arguments: try Vectors.of("ecdsa_sign"))
  func signsDeterministically(_ vector: TestVector) throws {
    let key = try TestKeys.ecdsa(vector.inputs.string("private_key_hex"))
    let digest = try vector.inputs.digest("digest_hex")
    let signature = try key.sign(digest)
    #expect(signature.bytes == (try vector.outputs.bytes("signature_hex")))
    #expect(signature.recover(digest)?.address == (try vector.outputs.address("recovered_address")))
  }

  @Test(arguments: try Vectors.of("ecdsa_reject"))
  func refusesMalformedSignatures(_ vector: TestVector) throws {
    let bytes = try vector.inputs.bytes("signature_hex")
    expectError(SignatureError.self, where: { $0.code == "malformed_signature" }) {
      _ = try ECDSASignature(bytes: bytes)
    }
  }

  @Test(arguments: try Vectors.of("ecdsa_accept"))
  func readsLowRecoveryIDsAndWritesHighOnes(_ vector: TestVector) throws {
    let digest = try vector.inputs.digest("digest_hex")
    let bytes = try vector.inputs.bytes("signature_hex")
    let signature = try ECDSASignature(bytes: bytes)
    #expect(signature.bytes[64] == bytes[64] + 27)
    try signature.verify(digest, signer: vector.outputs.address("recovered_address"))
  }

  @Test func refusesPrivateKeysOutOfRange() throws {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
    for hex in [String(repeating: "0", count: 64), order, String(repeating: "f", count: 64)] {
      expectError(KeyError.self, where: { $0 == .scalarOutOfRange }) { _ = try TestKeys.ecdsa(hex) }
    }
    #expect(throws: Never.self) { try TestKeys.ecdsa("0x" + order.dropLast() + "0") }
    expectError(KeyError.self, where: { $0 == .wrongLength(expected: "32", actual: 31) }) {
      _ = try TestKeys.ecdsa(String(repeating: "1", count: 62))
    }
    for hex in ["1", "zz", "0x1", "11 22"] {
      expectError(KeyError.self, where: { $0 == .malformedHex }) { _ = try TestKeys.ecdsa(hex) }
    }
  }

  @Test func readsHexWithPrefixAndWhiteSpace() throws {
    let plain = String(repeating: "1a", count: 32)
    let expected = try TestKeys.ecdsa(plain).address
    for text in ["0x" + plain, "  \(plain)\n", plain.uppercased(), "\t0x\(plain)\r\n"] {
      #expect(try TestKeys.ecdsa(text).address == expected)
    }
  }

  @Test func refusesPublicKeysOffTheCurveOrInOddForms() throws {
    let key = try ECDSAPrivateKey.generate().publicKey
    var hybrid = key.bytes
    hybrid[0] = 0x06 | hybrid[64] & 1
    expectError(KeyError.self, where: { $0 == .unknownEncoding }) { _ = try ECDSAPublicKey(bytes: hybrid) }
    var moved = key.bytes
    moved[64] ^= 1
    expectError(KeyError.self, where: { $0 == .notOnCurve }) { _ = try ECDSAPublicKey(bytes: moved) }
    for count in [0, 1, 32, 34, 64, 66] {
      expectError(KeyError.self) { _ = try ECDSAPublicKey(bytes: Array(key.bytes.prefix(count)) + (count == 66 ? [0] : [])) }
    }
  }

  @Test func anyFlippedBitChangesTheSigner() throws {
    let key = try ECDSAPrivateKey.generate()
    let digest = TestKeys.randomDigest()
    let signature = try key.sign(digest)
    try signature.verify(digest, signer: key.address)
    for bit in 0..<(65 * 8) {
      var bytes = signature.bytes
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      expectError(SignatureError.self) { try ECDSASignature(bytes: bytes).verify(digest, signer: key.address) }
    }
    expectError(SignatureError.self, where: { $0.code == "wrong_signer" }) {
      try signature.verify(TestKeys.randomDigest(), signer: key.address)
    }
  }

  @Test func generatedKeysRoundTrip() throws {
    for _ in 0..<50 {
      let key = try ECDSAPrivateKey.generate()
      let digest = TestKeys.randomDigest()
      let signature = try key.sign(digest)
      #expect(try ECDSASignature(bytes: signature.bytes) == signature)
      #expect(signature.recover(digest) == key.publicKey)
      #expect(signature.bytes[64] == 27 || signature.bytes[64] == 28)
    }
  }
}
