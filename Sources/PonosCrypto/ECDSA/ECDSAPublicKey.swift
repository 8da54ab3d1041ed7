import CSecp256k1
import PonosCore

/// A point of secp256k1 that verifies ECDSA signatures.
package struct ECDSAPublicKey: Hashable, Sendable {
  /// 65 bytes: 0x04, X, Y, each coordinate 32 bytes big-endian.
  package let bytes: [UInt8]

  /// Reads 65 bytes (0x04, X, Y) or 33 bytes (0x02 or 0x03, X); the hybrid forms 0x06 and 0x07 are refused.
  package init(bytes: [UInt8]) throws(KeyError) {
    switch (bytes.count, bytes.first) {
    case (65, 0x04), (33, 0x02), (33, 0x03): break
    case (65, _), (33, _): throw .unknownEncoding
    default: throw .wrongLength(expected: "65 or 33", actual: bytes.count)
    }
    var key = secp256k1_pubkey()
    guard secp256k1_ec_pubkey_parse(Secp256k1.context, &key, bytes, bytes.count) == 1 else { throw .notOnCurve }
    self.init(key)
  }

  /// Wraps a point that the library made.
  init(_ key: secp256k1_pubkey) {
    bytes = Self.serialize(key, count: 65, flags: SECP256K1_EC_UNCOMPRESSED)
  }

  /// 33 bytes: 0x02 for even Y or 0x03 for odd Y, then X.
  package var compressed: [UInt8] {
    [0x02 | bytes[64] & 1] + bytes[1...32]
  }

  /// The account of this key: the last 20 bytes of the Keccak-256 of X and Y.
  package var address: EthereumAddress {
    EthereumAddress(unchecked: Array(Keccak256.hash(bytes.dropFirst()).bytes.suffix(20)))
  }

  private static func serialize(_ key: secp256k1_pubkey, count: Int, flags: Int32) -> [UInt8] {
    var key = key
    var length = count
    var output = [UInt8](repeating: 0, count: count)
    secp256k1_ec_pubkey_serialize(Secp256k1.context, &output, &length, &key, UInt32(flags))
    return output
  }
}

extension ECDSAPublicKey: CustomStringConvertible {
  package var description: String { Hex.encodePrefixed(bytes) }
}
