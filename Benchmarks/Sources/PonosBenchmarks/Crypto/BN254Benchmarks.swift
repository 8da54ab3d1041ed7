import CMclBN256
import PonosCore
import PonosCrypto

/// BLS on BN254, next to bare calls of mcl with mcl's own hash to the curve (which is neither of the two that contracts and
/// aggregators ask for, but the same work).
enum BN254Benchmarks {
  private static let batchCount = 64

  static func comparisons() throws -> [Comparison] {
    // The key comes first: making it initialises mcl.
    let key = try BN254PrivateKey(scalar: SecretBytes(copying: [UInt8](repeating: 0x17, count: 32)))
    let signing = SigningKey.bn254(key)
    let library = RawMCL()
    let task = SigningFixture(curve: .bn254)
    let digests = (0..<batchCount).map { Keccak256.hash([UInt8($0)]) }
    let statements = digests.map {
      BN254Statement(digest: $0, hashing: .xmd, signature: key.sign($0, hashing: .xmd))
    }
    let solidity = key.sign(digests[0], hashing: .solidity)
    // Other digests of the same kind every time: the Solidity hash takes from one to many steps.
    var next = 0
    func digest() -> Digest32 {
      next = (next + 1) % batchCount
      return digests[next]
    }
    return [
      Comparison(
        group: "crypto", title: "BN254: sign", figure: .cpu,
        contenders: [
          .computing("mcl hashAndMapTo and mulCT") { library.sign(digest().bytes) },
          .computing("BN254PrivateKey.sign, Solidity hash") { _ = key.sign(digest(), hashing: .solidity) },
          .computing("BN254PrivateKey.sign, RFC 9380 hash") { _ = key.sign(digest(), hashing: .xmd) },
          .computing("SigningKey.signMessage (verifies itself)") { _ = try signing.signMessage(digest()) },
          .computing("SigningKey.signResult (two signatures, one verification)") { _ = try task.sign(with: signing) },
        ]),
      Comparison(
        group: "crypto", title: "BN254: verify", figure: .cpu,
        contenders: [
          .computing("mcl hashAndMapTo, millerLoopVec of 2, finalExp", batch: 2) { library.verify(digests[0].bytes) },
          .computing("BN254PublicKey.verify, Solidity hash", batch: 2) {
            _ = key.publicKey.verify(digests[0], hashing: .solidity, signature: solidity)
          },
          .computing("BN254PublicKey.verify, RFC 9380 hash", batch: 2) {
            _ = key.publicKey.verify(digests[0], hashing: .xmd, signature: statements[0].signature)
          },
          .computing("BN254PublicKey.verifyBatch of \(batchCount), each", batch: 1, operations: batchCount) {
            _ = key.publicKey.verifyBatch(statements)
          },
        ]),
    ]
  }
}

/// mcl without anything round it. It has to be initialised before.
private final class RawMCL {
  private var scalar = mclBnFr()
  private var generator = mclBnG2()
  private var key = mclBnG2()
  private var hash = mclBnG1()
  private var signature = mclBnG1()
  private var negated = mclBnG1()
  private var product = mclBnGT()

  init() {
    let seed = Array("benchmark".utf8)
    mclBnFr_setHashOf(&scalar, seed, seed.count)
    mclBnG2_hashAndMapTo(&generator, seed, seed.count)
    withUnsafePointer(to: scalar) { scalar in
      withUnsafePointer(to: generator) { mclBnG2_mul(&key, $0, scalar) }
    }
  }

  func sign(_ digest: [UInt8]) {
    mclBnG1_hashAndMapTo(&hash, digest, digest.count)
    mclBnG1_mulCT(&signature, &hash, &scalar)
    mclBnG1_normalize(&negated, &signature)
  }

  func verify(_ digest: [UInt8]) {
    mclBnG1_hashAndMapTo(&hash, digest, digest.count)
    mclBnG1_neg(&negated, &signature)
    var loop = mclBnGT()
    mclBn_millerLoopVec(&loop, [negated, hash], [generator, key], 2)
    mclBn_finalExp(&product, &loop)
  }
}
