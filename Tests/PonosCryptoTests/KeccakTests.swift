import PonosCore
import PonosCrypto
import PonosTesting
import Testing

@Suite struct KeccakTests {
  @Test(arguments: try Vectors.of("keccak256"))
  func publishedDigests(_ vector: TestVector) throws {
    let message = try vector.inputs.bytes("message_hex")
    #expect(Keccak256.hash(message) == (try vector.outputs.digest("digest_hex")))
  }

  /// Lengths around the block size, cut anywhere, give the digest of the whole.
  @Test(arguments: [0, 1, 7, 8, 9, 135, 136, 137, 271, 272, 273, 1000])
  func partsEqualTheWhole(_ count: Int) {
    let message = TestKeys.randomBytes(count)
    let whole = Keccak256.hash(message)
    #expect(Keccak256.hash(AnySequence(message)) == whole)
    for _ in 0..<20 {
      var hash = Keccak256()
      var rest = message[...]
      while !rest.isEmpty {
        let length = Int.random(in: 1...rest.count)
        hash.update(rest.prefix(length))
        rest = rest.dropFirst(length)
      }
      #expect(hash.finalize() == whole)
    }
  }

  /// Found by another implementation: one million times "a", which runs through every path many times.
  @Test func longMessage() {
    let digest = Keccak256.hash([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
    #expect(digest.description == "0xfadae6b49f129bbb812be8407b7b2894f34aecf6dbd1f9b0f0c7e9853098fc96")
  }
}
