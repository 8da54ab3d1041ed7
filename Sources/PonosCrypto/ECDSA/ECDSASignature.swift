import CSecp256k1
import PonosCore

/// A recoverable ECDSA signature over secp256k1, always in low-s form.
package struct ECDSASignature: Hashable, Sendable {
  /// 65 bytes: r, s (32 bytes big-endian each), v (27 or 28, as the certificate contracts require).
  package let bytes: [UInt8]

  /// Reads exactly 65 bytes with r and s above zero and below the group order, low s, and v one of 0, 1, 27, 28.
  package init(bytes: [UInt8]) throws(SignatureError) {
    guard bytes.count == 65 else { throw .malformed(.length(expected: 65, actual: bytes.count)) }
    let recoveryID: UInt8
    switch bytes[64] {
    case 0, 27: recoveryID = 0
    case 1, 28: recoveryID = 1
    default: throw .malformed(.recoveryID(bytes[64]))
    }
    try Self.checkScalars(bytes)
    self.bytes = bytes[..<64] + [27 + recoveryID]
  }

  /// Wraps what the library signed; nil for a recovery id that v cannot express (chance 2^-127).
  init?(_ signature: secp256k1_ecdsa_recoverable_signature) {
    var signature = signature
    var bytes = [UInt8](repeating: 0, count: 65)
    var recoveryID: Int32 = 0
    secp256k1_ecdsa_recoverable_signature_serialize_compact(Secp256k1.context, &bytes, &recoveryID, &signature)
    guard recoveryID == 0 || recoveryID == 1 else { return nil }
    bytes[64] = 27 + UInt8(recoveryID)
    self.bytes = bytes
  }

  /// The key that signed `digest`; nil when no key can have made this signature.
  package func recover(_ digest: Digest32) -> ECDSAPublicKey? {
    var signature = secp256k1_ecdsa_recoverable_signature()
    var key = secp256k1_pubkey()
    let recoveryID = Int32(bytes[64]) - 27
    guard
      secp256k1_ecdsa_recoverable_signature_parse_compact(Secp256k1.context, &signature, bytes, recoveryID) == 1,
      secp256k1_ecdsa_recover(Secp256k1.context, &key, &signature, digest.bytes) == 1
    else { return nil }
    return ECDSAPublicKey(key)
  }

  /// Returns when the key behind `signer` signed `digest`, throws `wrongSigner` otherwise.
  package func verify(_ digest: Digest32, signer: EthereumAddress) throws(SignatureError) {
    let recovered = recover(digest)?.address
    guard recovered == signer else { throw .wrongSigner(recovered: recovered, expected: signer) }
  }

  private static func checkScalars(_ bytes: [UInt8]) throws(SignatureError) {
    let zero = [UInt8](repeating: 0, count: 32)
    var signature = secp256k1_ecdsa_signature()
    guard
      secp256k1_ecdsa_signature_parse_compact(Secp256k1.context, &signature, bytes) == 1,
      !bytes[..<32].elementsEqual(zero), !bytes[32..<64].elementsEqual(zero)
    else { throw .malformed(.scalarOutOfRange) }
    // With no output given, normalize only tells whether s was in the upper half.
    guard secp256k1_ecdsa_signature_normalize(Secp256k1.context, nil, &signature) == 0 else { throw .malformed(.highS) }
  }
}

extension ECDSASignature: CustomStringConvertible {
  package var description: String { Hex.encodePrefixed(bytes) }
}
