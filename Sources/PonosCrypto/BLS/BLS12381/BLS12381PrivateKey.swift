import CBlst
import PonosCore

/// A private key for BLS signatures on BLS12-381 (signatures in G1, public keys in G2); prints as its public key.
///
/// Executor sets of this curve do not exist on chain; the key type is here for keystores and tools that know it.
package struct BLS12381PrivateKey: Sendable {
  /// 32 bytes, big-endian, above zero and below the group order.
  let scalar: SecretBytes
  package let publicKey: BLS12381PublicKey

  /// Takes an integer, big-endian, of any length and reduces it modulo the group order; the result must not be zero.
  package init(scalar: SecretBytes) throws(KeyError) {
    // The library reads out of bounds when it is given no bytes.
    guard scalar.count > 0 else { throw .scalarOutOfRange }
    let reduced = SecretBytes(count: 32) { output in
      scalar.withUnsafeBytes { input in
        withUnsafeTemporaryAllocation(of: blst_scalar.self, capacity: 1) { raw in
          raw.initialize(repeating: blst_scalar())
          defer { Wipe.zero(UnsafeMutableRawBufferPointer(raw)) }
          let bytes = input.bindMemory(to: UInt8.self)
          // False means that the result is zero, which is checked below.
          _ = blst_scalar_from_be_bytes(raw.baseAddress, bytes.baseAddress, bytes.count)
          blst_bendian_from_scalar(output.bindMemory(to: UInt8.self).baseAddress, raw.baseAddress)
        }
      }
    }
    guard reduced.withUnsafeBytes({ $0.contains { $0 != 0 } }) else { throw .scalarOutOfRange }
    self.scalar = reduced
    publicKey = Self.withRaw(reduced) { raw in
      var point = blst_p2()
      var affine = blst_p2_affine()
      blst_sk_to_pk_in_g2(&point, raw)
      blst_p2_to_affine(&affine, &point)
      return BLS12381PublicKey(affine)
    }
  }

  /// Takes hex digits of any even number, with or without `0x`, white space around them ignored; reduced like a scalar.
  package init(hex: SecretBytes) throws(KeyError) {
    try self.init(scalar: SecretHex.decode(hex))
  }

  /// The secret scalar times the point that `message` hashes to; the message is not hashed beforehand.
  package func sign(_ message: [UInt8]) -> BLS12381Signature {
    var point = BLS12381Signature.hashToG1(message)
    return Self.withRaw(scalar) { raw in
      var signature = blst_p1()
      var affine = blst_p1_affine()
      blst_sign_pk_in_g2(&signature, &point, raw)
      blst_p1_to_affine(&affine, &signature)
      return BLS12381Signature(affine)
    }
  }

  private static func withRaw<Result>(_ scalar: SecretBytes, _ body: (UnsafePointer<blst_scalar>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: blst_scalar.self, capacity: 1) { raw in
      raw.initialize(repeating: blst_scalar())
      defer { Wipe.zero(UnsafeMutableRawBufferPointer(raw)) }
      scalar.withUnsafeBytes { blst_scalar_from_bendian(raw.baseAddress, $0.bindMemory(to: UInt8.self).baseAddress) }
      return body(raw.baseAddress!)
    }
  }
}

extension BLS12381PrivateKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "BLS12-381 key of \(publicKey)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}
