import CSecp256k1
import PonosCore
import PonosCrypto

/// ECDSA over secp256k1, next to bare calls of libsecp256k1.
enum ECDSABenchmarks {
  static func comparisons() throws -> [Comparison] {
    let scalar = [UInt8](repeating: 0x17, count: 32)
    let key = try ECDSAPrivateKey(scalar: SecretBytes(copying: scalar))
    let digest = Keccak256.hash([1, 2, 3] as [UInt8])
    let library = RawSecp256k1(scalar: scalar, digest: digest.bytes)
    let signature = try key.sign(digest)
    let signing = SigningKey.ecdsa(key)
    let task = SigningFixture(curve: .ecdsa)
    return [
      Comparison(
        group: "crypto", title: "ECDSA secp256k1: sign", figure: .cpu,
        contenders: [
          .computing("secp256k1_ecdsa_sign_recoverable") { library.sign() },
          .computing("ECDSAPrivateKey.sign") { _ = try key.sign(digest) },
          .computing("SigningKey.signMessage (verifies itself)") { _ = try signing.signMessage(digest) },
          .computing("SigningKey.signResult (two signatures, both verified)") { _ = try task.sign(with: signing) },
        ]),
      Comparison(
        group: "crypto", title: "ECDSA secp256k1: verify by recovery", figure: .cpu,
        contenders: [
          .computing("secp256k1_ecdsa_recover") { library.recover() },
          .computing("VerificationKey.verifyMessage (parse, recover, compare)") {
            try signing.verificationKey.verifyMessage(digest, signature: signature.bytes)
          },
        ]),
    ]
  }
}

/// libsecp256k1 without anything round it.
private final class RawSecp256k1 {
  private let context: OpaquePointer = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE))
  private let scalar: [UInt8]
  private let digest: [UInt8]
  private var signature = secp256k1_ecdsa_recoverable_signature()
  private var key = secp256k1_pubkey()

  init(scalar: [UInt8], digest: [UInt8]) {
    self.scalar = scalar
    self.digest = digest
    sign()
  }

  deinit { secp256k1_context_destroy(context) }

  func sign() {
    let done = secp256k1_ecdsa_sign_recoverable(context, &signature, digest, scalar, nil, nil)
    precondition(done == 1, "libsecp256k1 signs with a valid key")
  }

  func recover() {
    let done = secp256k1_ecdsa_recover(context, &key, &signature, digest)
    precondition(done == 1, "libsecp256k1 recovers the key of its own signature")
  }
}
