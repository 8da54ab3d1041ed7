import CBlst
import PonosCore
import PonosCrypto

/// BLS on BLS12-381, next to bare calls of blst.
enum BLS12381Benchmarks {
  static func comparisons() throws -> [Comparison] {
    let scalar = [UInt8](repeating: 0x17, count: 32)
    let key = try BLS12381PrivateKey(scalar: SecretBytes(copying: scalar))
    let message = Keccak256.hash([1, 2, 3] as [UInt8]).bytes
    let library = RawBlst(scalar: scalar)
    let signature = key.sign(message)
    library.sign(message)
    return [
      Comparison(
        group: "crypto", title: "BLS12-381: sign", figure: .cpu,
        contenders: [
          .computing("blst_hash_to_g1 and blst_sign_pk_in_g2") { library.sign(message) },
          .computing("BLS12381PrivateKey.sign") { _ = key.sign(message) },
        ]),
      Comparison(
        group: "crypto", title: "BLS12-381: verify", figure: .cpu,
        contenders: [
          .computing("blst_core_verify_pk_in_g2", batch: 2) { library.verify(message) },
          .computing("BLS12381PublicKey.verify", batch: 2) { _ = key.publicKey.verify(message, signature: signature) },
        ]),
    ]
  }
}

/// blst without anything round it.
private final class RawBlst {
  private static let tag = Array("BENCHMARK".utf8)
  private var scalar = blst_scalar()
  private var key = blst_p2_affine()
  private var signature = blst_p1_affine()

  init(scalar bytes: [UInt8]) {
    blst_scalar_from_bendian(&scalar, bytes)
    var point = blst_p2()
    withUnsafePointer(to: scalar) { blst_sk_to_pk_in_g2(&point, $0) }
    blst_p2_to_affine(&key, &point)
  }

  func sign(_ message: [UInt8]) {
    var hash = blst_p1()
    var point = blst_p1()
    blst_hash_to_g1(&hash, message, message.count, Self.tag, Self.tag.count, nil, 0)
    blst_sign_pk_in_g2(&point, &hash, &scalar)
    blst_p1_to_affine(&signature, &point)
  }

  func verify(_ message: [UInt8]) {
    let result = blst_core_verify_pk_in_g2(
      &key, &signature, true, message, message.count, Self.tag, Self.tag.count, nil, 0)
    precondition(result == BLST_SUCCESS, "blst verifies its own signature")
  }
}
