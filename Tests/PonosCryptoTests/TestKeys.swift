import PonosCore
import PonosCrypto
import PonosTesting
import Testing

/// Keys and digests that tests make up.
enum TestKeys {
  static func secret(_ hex: String) throws -> SecretBytes {
    SecretBytes(copying: try #require(Hex.decode(hex)))
  }

  static func ecdsa(_ hex: String) throws -> ECDSAPrivateKey {
    try ECDSAPrivateKey(hex: SecretBytes(text: hex))
  }

  static func bn254(_ hex: String) throws -> BN254PrivateKey {
    try BN254PrivateKey(hex: SecretBytes(text: hex))
  }

  static func randomBytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255) }
  }

  static func randomDigest() -> Digest32 {
    Digest32(unchecked: randomBytes(32))
  }
}

/// Asserts that `body` throws an error that `isExpected` accepts, whatever typed throws it uses.
func expectError<E: Error>(
  _ type: E.Type, sourceLocation: SourceLocation = #_sourceLocation,
  where isExpected: (E) -> Bool = { _ in true }, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as E {
    #expect(isExpected(error), "\(error)", sourceLocation: sourceLocation)
  } catch {
    Issue.record("another error was thrown: \(error)", sourceLocation: sourceLocation)
  }
}
