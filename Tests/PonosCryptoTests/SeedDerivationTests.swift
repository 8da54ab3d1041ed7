import PonosCore
import PonosTesting
import Testing

@testable import PonosCrypto

@Suite struct SeedDerivationTests {
  @Test(arguments: try Vectors.of("seed_derivation"))
  func derivesPublishedScalars(_ vector: TestVector) throws {
    let seed = try TestKeys.secret(vector.inputs.string("seed_hex"))
    let expected = try TestKeys.secret(vector.outputs.string("scalar_hex"))
    if vector.name.contains("secp256k1") {
      #expect(try SeedDerivation.ecdsa(seed: seed).scalar == expected)
    } else {
      #expect(try SeedDerivation.bls12381(seed: seed).scalar == expected)
      #expect(try SeedDerivation.bn254(seed: seed).scalar != expected)
    }
  }

  @Test func refusesShortSeeds() {
    let short = SecretBytes(copying: [UInt8](repeating: 1, count: 15))
    expectError(KeyError.self, where: { $0.code == "key_wrong_length" }) { _ = try SeedDerivation.ecdsa(seed: short) }
    expectError(KeyError.self, where: { $0.code == "key_wrong_length" }) { _ = try SeedDerivation.bn254(seed: short) }
    expectError(KeyError.self, where: { $0.code == "key_wrong_length" }) { _ = try SeedDerivation.bls12381(seed: short) }
  }
}
