import PonosCore
import PonosTesting
import Testing

@testable import PonosCrypto

@Suite struct BLS12381Tests {
  @Test(arguments: try Vectors.of("bls12381_sign"))
  func signs(_ vector: TestVector) throws {
    let key = try BLS12381PrivateKey(hex: SecretBytes(text: vector.inputs.string("private_key_hex")))
    let message = try vector.inputs.bytes("message_hex")
    let signature = key.sign(message)
    #expect(signature.bytes == (try vector.outputs.bytes("signature_g1_uncompressed_hex")))
    #expect(signature.compressed == (try vector.outputs.bytes("signature_g1_compressed_hex")))
    #expect(key.publicKey.bytes == (try vector.outputs.bytes("public_key_g2_uncompressed_hex")))
    #expect(key.publicKey.verify(message, signature: signature))
    #expect(!key.publicKey.verify(message + [0], signature: signature))
    #expect(try BLS12381Signature(bytes: signature.bytes) == signature)
    #expect(try BLS12381Signature(bytes: signature.compressed) == signature)
    #expect(try BLS12381PublicKey(bytes: key.publicKey.bytes) == key.publicKey)
    #expect(try BLS12381PublicKey(bytes: key.publicKey.compressed) == key.publicKey)
  }

  @Test func refusesOddEncodings() throws {
    let key = try BLS12381PrivateKey(hex: SecretBytes(text: "07"))
    let signature = key.sign([1, 2, 3])
    // A compressed point followed by anything is not an uncompressed one.
    let padded = signature.compressed + [UInt8](repeating: 0, count: 48)
    expectError(SignatureError.self, where: { $0 == .malformed(.unknownEncoding) }) {
      _ = try BLS12381Signature(bytes: padded)
    }
    let infinity = [0x40] + [UInt8](repeating: 0, count: 95)
    expectError(SignatureError.self, where: { $0 == .malformed(.infinity) }) { _ = try BLS12381Signature(bytes: infinity) }
    expectError(KeyError.self, where: { $0 == .pointAtInfinity }) {
      _ = try BLS12381PublicKey(bytes: [0xc0] + [UInt8](repeating: 0, count: 95))
    }
    for count in [0, 47, 49, 95, 97] {
      expectError(SignatureError.self) { _ = try BLS12381Signature(bytes: [UInt8](repeating: 1, count: count)) }
    }
    var moved = signature.bytes
    moved[95] ^= 1
    expectError(SignatureError.self, where: { $0 == .malformed(.notOnCurve) }) { _ = try BLS12381Signature(bytes: moved) }
  }

  /// Points of the curve outside the group: x = 4 in G1 (the cofactor is large, so the first x on the curve is outside).
  @Test func refusesPointsOutsideTheSubgroup() throws {
    let point = [0x80] + [UInt8](repeating: 0, count: 46) + [4]
    expectError(SignatureError.self, where: { $0 == .malformed(.wrongSubgroup) }) {
      _ = try BLS12381Signature(bytes: point)
    }
  }

  @Test func refusesZero() {
    for hex in ["", "00", "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"] {
      expectError(KeyError.self, where: { $0 == .scalarOutOfRange }) {
        _ = try BLS12381PrivateKey(hex: SecretBytes(text: hex))
      }
    }
  }
}
