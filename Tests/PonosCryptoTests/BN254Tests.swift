import PonosCore
import PonosTesting
import Testing

@testable import PonosCrypto

@Suite struct BN254Tests {
  static let modulus = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47"

  @Test(arguments: try Vectors.of("bn254_h2c_xmd"))
  func hashesToCurveByRFC9380(_ vector: TestVector) throws {
    let message = try vector.inputs.bytes("message_hex")
    let tag = Array(try vector.inputs.string("dst_ascii").utf8)
    if vector.outputs["expanded_hex"] != nil {
      #expect(XMDHashToCurve.expand(message, tag: tag, count: 96) == (try vector.outputs.bytes("expanded_hex")))
    }
    let (u0, u1) = XMDHashToCurve.fieldElements(message, tag: tag)
    #expect(u0.bytes == (try vector.outputs.bytes("u0_hex")))
    #expect(u1.bytes == (try vector.outputs.bytes("u1_hex")))
    #expect(XMDHashToCurve.map(u0).bytes == (try vector.outputs.bytes("q0_hex")))
    #expect(XMDHashToCurve.map(u1).bytes == (try vector.outputs.bytes("q1_hex")))
    #expect(XMDHashToCurve.point(for: message, tag: tag).bytes == (try vector.outputs.bytes("point_hex")))
  }

  /// Zero and the elements where the map's inversion meets a zero (1 - 4u² or 1 + 4u² vanishes) still give points.
  @Test func mapsExceptionalElements() throws {
    let half = BN254Field(2).inverted
    for u in [BN254Field(0), half, half.negated, BN254Field(1), BN254Field(-1)] {
      let point = XMDHashToCurve.map(u)
      #expect(!point.isInfinity)
    }
  }

  @Test(arguments: try Vectors.of("bn254_h2c_solidity"))
  func hashesToCurveLikeTheContracts(_ vector: TestVector) throws {
    let digest = try vector.inputs.digest("hash_hex")
    #expect(SolidityHashToCurve.point(for: digest).bytes == (try vector.outputs.bytes("point_hex")))
  }

  @Test(arguments: try Vectors.of("bn254_pubkey").filter { $0.inputs["private_key_hex"] != nil })
  func derivesAndEncodesPublicKeys(_ vector: TestVector) throws {
    let key = try TestKeys.bn254(vector.inputs.string("private_key_hex"))
    let g2 = try vector.outputs.bytes("g2_uncompressed_hex")
    #expect(key.publicKey.bytes == g2)
    #expect(key.publicKey.compressed == (try vector.outputs.bytes("g2_compressed_hex")))
    #expect(key.publicKeyG1 == (try vector.outputs.bytes("g1_uncompressed_hex")))
    #expect(key.publicKeyG1Compressed == (try vector.outputs.bytes("g1_compressed_hex")))
    #expect(try BN254PublicKey(bytes: g2) == key.publicKey)
  }

  @Test func refusesInfinity() throws {
    let vector = try #require(try Vectors.of("bn254_pubkey").first { $0.inputs["point"] != nil })
    let g1 = try vector.outputs.bytes("g1_uncompressed_hex")
    let g2 = try vector.outputs.bytes("g2_uncompressed_hex")
    expectError(SignatureError.self, where: { $0 == .malformed(.infinity) }) { _ = try BN254Signature(bytes: g1) }
    expectError(KeyError.self, where: { $0 == .pointAtInfinity }) { _ = try BN254PublicKey(bytes: g2) }
    #expect((BN254G1.generator + BN254G1.generator.negated).compressed == (try vector.outputs.bytes("g1_compressed_hex")))
  }

  /// The key as the deployed registrar contract returned it is both encodings side by side.
  @Test func readsTheRegistrarsEncoding() throws {
    let vector = try #require(try Vectors.of("eth_call").first { $0.name.contains("getBN254Key registered") })
    let returned = try vector.outputs.bytes("returndata")
    let key = try TestKeys.bn254("0f3b93ed51d9caff9d3750a49de3d6b5dac2eb18b020bec2d7cad05d5c4c3e5e")
    #expect(returned == key.publicKeyG1 + key.publicKey.bytes)
  }

  @Test(arguments: [("bn254_sign_xmd", "message_hex"), ("bn254_sign_solidity", "message_hash_hex")])
  func signs(_ category: String, _ field: String) throws {
    let hashing: BN254Hashing = category == "bn254_sign_xmd" ? .xmd : .solidity
    for vector in try Vectors.of(category) {
      let key = try TestKeys.bn254(vector.inputs.string("private_key_hex"))
      let digest = try vector.inputs.digest(field)
      let signature = key.sign(digest, hashing: hashing)
      #expect(signature.bytes == (try vector.outputs.bytes("signature_hex")))
      #expect(signature.point.compressed == (try vector.outputs.bytes("signature_compressed_hex")))
      #expect(key.publicKey.verify(digest, hashing: hashing, signature: signature))
      #expect(!key.publicKey.verify(digest, hashing: hashing == .xmd ? .solidity : .xmd, signature: signature))
    }
  }

  @Test(arguments: try Vectors.of("key_registration"))
  func signsKeyRegistrations(_ vector: TestVector) throws {
    let key = try TestKeys.bn254(vector.inputs.string("private_key_hex"))
    let signature = key.sign(try vector.outputs.digest("message_hash_hex"), hashing: .solidity)
    #expect(signature.bytes == (try vector.outputs.bytes("signature_hex")))
    #expect(key.publicKeyG1 + key.publicKey.bytes == (try vector.outputs.bytes("key_data_hex")))
  }

  @Test func reducesPrivateKeysOfAnyLength() throws {
    let order = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001"
    let one = try TestKeys.bn254("01").publicKey
    let above = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000002"
    for hex in ["0x0001", above, String(repeating: "00", count: 100) + "01"] {
      #expect(try TestKeys.bn254(hex).publicKey == one)
    }
    // r · 2^512 + 1, and r · 2^8 + 1: multiples of r above the word sizes of the library.
    #expect(try TestKeys.bn254(order + String(repeating: "0", count: 126) + "01").publicKey == one)
    #expect(try TestKeys.bn254(order + "01").publicKey == one)
    for hex in ["", "00", order, order + "00", String(repeating: "00", count: 64)] {
      expectError(KeyError.self, where: { $0 == .scalarOutOfRange }) { _ = try TestKeys.bn254(hex) }
    }
  }

  @Test func refusesMalformedSignatures() throws {
    let signature = try TestKeys.bn254("05").sign(TestKeys.randomDigest(), hashing: .xmd).bytes
    for count in [0, 1, 32, 63] {
      expectError(SignatureError.self) { _ = try BN254Signature(bytes: Array(signature.prefix(count))) }
    }
    expectError(SignatureError.self, where: { $0 == .malformed(.length(expected: 64, actual: 65)) }) {
      _ = try BN254Signature(bytes: signature + [0])
    }
    // The same point with p added to x: equal in the field, but not the canonical bytes.
    let nonCanonical = try #require(Hex.decode(Self.modulus)) + signature[32...]
    let offCurve = [UInt8](repeating: 0, count: 63) + [1]
    for bytes in [nonCanonical, [UInt8](repeating: 0xff, count: 64), offCurve] {
      expectError(SignatureError.self, where: { $0 == .malformed(.notOnCurve) }) { _ = try BN254Signature(bytes: bytes) }
    }
    // (p + 1, 2) would be the generator if coordinates were reduced.
    let shifted = try #require(Hex.decode(Self.modulus.dropLast() + "8")) + [UInt8](repeating: 0, count: 31) + [2]
    expectError(SignatureError.self, where: { $0 == .malformed(.notOnCurve) }) { _ = try BN254Signature(bytes: shifted) }
  }

  @Test func refusesPublicKeysOffTheCurve() throws {
    let key = try BN254PrivateKey.generate().publicKey.bytes
    expectError(KeyError.self, where: { $0 == .wrongLength(expected: "128", actual: 127) }) {
      _ = try BN254PublicKey(bytes: key.dropLast())
    }
    for index in stride(from: 0, to: 128, by: 7) {
      var moved = key
      moved[index] ^= 1
      expectError(KeyError.self, where: { $0 == .notOnCurve }) { _ = try BN254PublicKey(bytes: moved) }
    }
    // Real part first, the other common order, is a different point and almost surely none.
    let swapped = Array(key[32..<64] + key[0..<32] + key[96..<128] + key[64..<96])
    expectError(KeyError.self, where: { $0 == .notOnCurve }) { _ = try BN254PublicKey(bytes: swapped) }
  }

  /// A point that satisfies the twisted curve's equation but is a multiple of the generator by no number (found with an
  /// independent implementation).
  @Test func refusesPublicKeysOutsideTheSubgroup() throws {
    let point = try #require(Hex.decode(OutsideSubgroup.bn254G2))
    expectError(KeyError.self, where: { $0 == .wrongSubgroup }) { _ = try BN254PublicKey(bytes: point) }
  }

  @Test func anyChangeBreaksASignature() throws {
    let key = try BN254PrivateKey.generate()
    let other = try BN254PrivateKey.generate()
    let digest = TestKeys.randomDigest()
    for hashing in [BN254Hashing.xmd, .solidity] {
      let signature = key.sign(digest, hashing: hashing)
      #expect(key.publicKey.verify(digest, hashing: hashing, signature: signature))
      #expect(!other.publicKey.verify(digest, hashing: hashing, signature: signature))
      #expect(!key.publicKey.verify(TestKeys.randomDigest(), hashing: hashing, signature: signature))
      // The negative of the point is on the curve too.
      #expect(!key.publicKey.verify(digest, hashing: hashing, signature: BN254Signature(signature.point.negated)))
    }
  }

  @Test func batchesFailAsSoonAsOneSignatureIsWrong() throws {
    let key = try BN254PrivateKey.generate()
    var statements = (0..<16).map { index in
      let digest = TestKeys.randomDigest()
      let hashing: BN254Hashing = index.isMultiple(of: 2) ? .xmd : .solidity
      return BN254Statement(digest: digest, hashing: hashing, signature: key.sign(digest, hashing: hashing))
    }
    #expect(key.publicKey.verifyBatch([]))
    #expect(key.publicKey.verifyBatch([statements[0]]))
    #expect(key.publicKey.verifyBatch(statements))
    #expect(!(try BN254PrivateKey.generate().publicKey.verifyBatch(statements)))
    // Two errors that cancel out in a plain sum must not cancel here.
    let shift = BN254G1.generator
    statements[3].signature = BN254Signature(statements[3].signature.point + shift)
    #expect(!key.publicKey.verifyBatch(statements))
    statements[4].signature = BN254Signature(statements[4].signature.point + shift.negated)
    #expect(!key.publicKey.verifyBatch(statements))
    #expect(!key.publicKey.verifyBatch([statements[3]]))
  }

  /// mcl is set up on first use and then used from many threads at once.
  @Test func worksFromManyThreads() async throws {
    let key = try BN254PrivateKey.generate()
    let digest = TestKeys.randomDigest()
    let expected = key.sign(digest, hashing: .solidity)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<32 {
        group.addTask {
          let signature = key.sign(digest, hashing: .solidity)
          return signature == expected && key.publicKey.verify(digest, hashing: .solidity, signature: signature)
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }
}
