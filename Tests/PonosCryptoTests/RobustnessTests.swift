import Foundation
import PonosCore
import PonosTesting
import Testing

@testable import PonosCrypto

/// Whatever bytes come from outside, parsing them ends in a value or a typed error, and only canonical bytes are accepted.
@Suite struct RobustnessTests {
  @Test func randomBytesNeverCrashAParser() {
    for _ in 0..<2000 {
      let bytes = TestKeys.randomBytes([0, 1, 32, 33, 48, 64, 65, 96, 128, 192].randomElement()! + Int.random(in: 0...1))
      parseEverything(bytes)
    }
  }

  /// Valid encodings with one to three bytes changed get much further than random bytes do.
  @Test func mutatedEncodingsNeverCrashAParser() throws {
    let digest = TestKeys.randomDigest()
    let ecdsa = try ECDSAPrivateKey.generate()
    let bn254 = try BN254PrivateKey.generate()
    let bls = try BLS12381PrivateKey(scalar: SecretBytes(copying: TestKeys.randomBytes(32)))
    let signature = bls.sign(digest.bytes)
    let seeds = [
      try ecdsa.sign(digest).bytes, ecdsa.publicKey.bytes, ecdsa.publicKey.compressed,
      bn254.sign(digest, hashing: .xmd).bytes, bn254.publicKey.bytes, bn254.publicKey.compressed,
      signature.bytes, signature.compressed, bls.publicKey.bytes, bls.publicKey.compressed,
    ]
    for seed in seeds {
      for _ in 0..<150 { parseEverything(mutate(seed)) }
    }
  }

  /// What a parser accepts, it writes back as the same bytes: there is one encoding of each value. (v of an ECDSA signature,
  /// and the shorter forms of keys, are the stated exceptions.)
  @Test func acceptedBytesAreCanonical() throws {
    for _ in 0..<200 {
      let digest = TestKeys.randomDigest()
      let ecdsa = mutate(try ECDSAPrivateKey.generate().sign(digest).bytes)
      if let signature = try? ECDSASignature(bytes: ecdsa) {
        #expect(signature.bytes.dropLast().elementsEqual(ecdsa.dropLast()))
      }
      let point = SolidityHashToCurve.point(for: digest).bytes
      #expect(try BN254Signature(bytes: point).point.bytes == point)
    }
  }

  @Test func mutatedKeystoresNeverCrash() throws {
    let password = SecretBytes(text: "pw")
    for curve in SignatureCurve.allCases {
      for format in [Keystore.Format.eip2335, .web3] {
        let json = try KeystoreTests.write(.generate(curve), format, password)
        for _ in 0..<400 {
          // Opening costs memory and time by design, so only reading is tried this often.
          _ = try? Keystore(json: mutate(json))
        }
        for _ in 0..<20 {
          let mutated = mutate(json)
          guard let keystore = try? Keystore(json: mutated), try isCheap(mutated) else { continue }
          _ = try? keystore.decrypt(password: password, as: curve)
        }
      }
    }
  }

  /// Every truncation of a keystore is refused: it is never a whole JSON object.
  @Test func truncatedKeystoresAreRefused() throws {
    let json = try KeystoreTests.write(.generate(.ecdsa), .web3, SecretBytes(text: "pw"))
    for count in stride(from: 0, to: json.count, by: 3) {
      expectError(KeystoreError.self) { _ = try Keystore(json: Array(json.prefix(count))) }
    }
  }

  /// Any flipped bit of the ciphertext, the counter, the salt or the check value shows as a wrong password, or, for the
  /// counter that the check does not cover, as a key that is not the one the file names.
  @Test func tamperedSealsDoNotOpen() throws {
    let password = SecretBytes(text: "pw")
    let json = try JSON(KeystoreTests.write(.generate(.bn254), .eip2335, password))
    for path in ["cipher.message", "cipher.params.iv", "kdf.params.salt", "checksum.message"] {
      let value = try path.split(separator: ".").dropLast().reduce(json.member("crypto")) { try $0.member(String($1)) }
      var bytes = try value.bytes(String(path.split(separator: ".").last!))
      bytes[Int.random(in: bytes.indices)] ^= 1 << UInt8.random(in: 0...7)
      let tampered = try json.replacing("crypto." + path, with: .string(Hex.encode(bytes))).text
      let expected = path == "cipher.params.iv" ? "public_key_mismatch" : "wrong_password"
      expectError(KeystoreError.self, where: { $0.code == expected }) {
        _ = try SigningKey(curve: .bn254, keystore: tampered, password: password)
      }
    }
  }

  @Test func randomHexNeverCrashesKeys() {
    for _ in 0..<500 {
      let text = SecretBytes(
        copying: (0..<Int.random(in: 0...80)).compactMap { _ in "0123456789abcdefx \n".utf8.randomElement() })
      for curve in SignatureCurve.allCases { _ = try? SigningKey(curve: curve, hex: text) }
    }
  }

  private func parseEverything(_ bytes: [UInt8]) {
    let digest = Digest32(unchecked: [UInt8](repeating: 7, count: 32))
    _ = (try? ECDSASignature(bytes: bytes))?.recover(digest)
    _ = (try? ECDSAPublicKey(bytes: bytes))?.address
    _ = (try? BN254Signature(bytes: bytes))?.point
    _ = (try? BN254PublicKey(bytes: bytes))?.compressed
    _ = (try? BLS12381Signature(bytes: bytes))?.compressed
    _ = (try? BLS12381PublicKey(bytes: bytes))?.compressed
    _ = try? BN254PrivateKey(scalar: SecretBytes(copying: bytes))
    _ = try? BLS12381PrivateKey(scalar: SecretBytes(copying: bytes))
    _ = try? ECDSAPrivateKey(scalar: SecretBytes(copying: bytes))
    if !bytes.isEmpty { _ = BN254Hashing.solidity.point(for: Keccak256.hash(bytes)) }
  }

  private func mutate(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3) where !bytes.isEmpty {
      let index = Int.random(in: bytes.indices)
      switch Int.random(in: 0..<5) {
      case 0: bytes[index] = UInt8.random(in: 0...255)
      case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7)
      case 2: bytes.remove(at: index)
      case 3: bytes.insert(UInt8.random(in: 0...255), at: index)
      default: bytes[index] = [0, 0xff, 0x7f, 0x80].randomElement()!
      }
    }
    return bytes
  }

  /// Whether scrypt's cost is still the light one.
  private func isCheap(_ json: [UInt8]) throws -> Bool {
    String(decoding: json, as: UTF8.self).contains("\"n\" : 4096")
  }
}
