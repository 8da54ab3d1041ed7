import Crypto
import Foundation
import PonosCore
import PonosCrypto
import PonosTesting
import Testing

/// Google's Wycheproof vectors for ECDSA on secp256k1. They are for verifiers with a public key; ours recovers the key and
/// compares addresses, so a signature counts as accepted when either recovery id leads to the key.
@Suite struct WycheproofTests {
  struct File: Decodable {
    let testGroups: [Group]
  }

  struct Group: Decodable {
    let publicKey: Key
    let tests: [Case]
  }

  struct Key: Decodable {
    let uncompressed: String
  }

  struct Case: Decodable {
    let tcId: Int
    let comment: String
    let flags: [String]
    let msg: String
    let sig: String
    let result: String
  }

  /// r and s side by side, 32 bytes each. High s is valid by itself, but ours must refuse it.
  @Test func fixedLengthSignatures() throws {
    let counts = try run("ecdsa_secp256k1_sha256_p1363_test.json") { $0 }
    #expect(counts.accepted > 80)
    #expect(counts.refused > 80)
  }

  /// DER, in the variant that requires low s.
  @Test func lowSSignatures() throws {
    let counts = try run("ecdsa_secp256k1_sha256_bitcoin_test.json", decode: Self.decodeDER)
    #expect(counts.accepted > 80)
    #expect(counts.refused > 200)
  }

  private func run(
    _ name: String, decode: ([UInt8]) -> [UInt8]?
  ) throws -> (accepted: Int, refused: Int) {
    var accepted = 0
    var refused = 0
    for group in try Vectors.read("wycheproof/\(name)", as: File.self).testGroups {
      let key = try ECDSAPublicKey(bytes: try #require(Hex.decode(group.publicKey.uncompressed)))
      for test in group.tests {
        let message = try #require(Hex.decode(test.msg))
        let digest = Digest32(unchecked: Array(SHA256.hash(data: message)))
        let scalars = decode(try #require(Hex.decode(test.sig)))
        let isAccepted = scalars.map { accepts($0, digest: digest, key: key) } ?? false
        #expect(isAccepted == isExpected(test, scalars), "\(name) test \(test.tcId): \(test.comment)")
        if isAccepted { accepted += 1 } else { refused += 1 }
      }
    }
    return (accepted, refused)
  }

  private func accepts(_ scalars: [UInt8], digest: Digest32, key: ECDSAPublicKey) -> Bool {
    ([27, 28] as [UInt8]).contains { recoveryID in
      guard let signature = try? ECDSASignature(bytes: scalars + [recoveryID]) else { return false }
      return signature.recover(digest) == key
    }
  }

  /// What the file says, except for two kinds that our form of a signature leaves out on purpose: high s, and a nonce point
  /// whose x is not below the group order (v would have to be 29 or 30).
  private func isExpected(_ test: Case, _ scalars: [UInt8]?) -> Bool {
    guard test.result == "valid", let scalars else { return false }
    let halfOrder = Hex.decode("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")!
    let isHigh = !scalars[32...].lexicographicallyPrecedes(halfOrder) && !scalars[32...].elementsEqual(halfOrder)
    return !isHigh && !test.comment.contains("large x-coordinate")
  }

  /// Strict DER of two positive integers below 2^256; nil for anything else.
  private static func decodeDER(_ bytes: [UInt8]) -> [UInt8]? {
    var rest = bytes[...]
    guard rest.count >= 2, rest.removeFirst() == 0x30, rest.removeFirst() == rest.count else { return nil }
    var scalars: [UInt8] = []
    for _ in 0..<2 {
      guard rest.count >= 2, rest.removeFirst() == 0x02 else { return nil }
      let length = Int(rest.removeFirst())
      guard length > 0, length <= rest.count else { return nil }
      var integer = rest.prefix(length)
      rest = rest.dropFirst(length)
      guard integer.first! < 0x80 else { return nil }
      if integer.count > 1, integer.first == 0 {
        integer = integer.dropFirst()
        guard integer.first! >= 0x80 else { return nil }
      }
      guard integer.count <= 32 else { return nil }
      scalars += [UInt8](repeating: 0, count: 32 - integer.count) + integer
    }
    return rest.isEmpty ? scalars : nil
  }
}
