import Crypto
import PonosCore

/// The two ways a message becomes a point of BN254's first group.
package enum BN254Hashing: Hashable, Sendable {
  /// RFC 9380 with SHA-256: for messages between aggregators, executors and operators.
  case xmd
  /// The contracts' try-and-increment: for certificates, which are checked on chain.
  case solidity

  /// The point for `digest`.
  func point(for digest: Digest32) -> BN254G1 {
    switch self {
    case .xmd: XMDHashToCurve.point(for: digest.bytes, tag: XMDHashToCurve.signatureTag)
    case .solidity: SolidityHashToCurve.point(for: digest)
    }
  }
}

/// hash_to_curve of RFC 9380 for BN254 G1: expand_message_xmd with SHA-256, two field elements of 48 bytes each, and the
/// map of Shallue and van de Woestijne.
enum XMDHashToCurve {
  /// The domain separation tag of the public executor. It says SSWU, though the map is not that one.
  static let signatureTag = Array("BLS_SIG_BN254G1_XMD:SHA-256_SSWU_RO_NUL_".utf8)

  /// The point for `message`.
  static func point(for message: [UInt8], tag: [UInt8]) -> BN254G1 {
    let (first, second) = fieldElements(message, tag: tag)
    return map(first) + map(second)
  }

  /// RFC 9380, section 5.2.
  static func fieldElements(_ message: [UInt8], tag: [UInt8]) -> (BN254Field, BN254Field) {
    let uniform = expand(message, tag: tag, count: 96)
    return (BN254Field(reducing: Array(uniform[..<48])), BN254Field(reducing: Array(uniform[48...])))
  }

  /// expand_message_xmd with SHA-256, RFC 9380, section 5.3.1. `count` is at most 255 · 32, the tag at most 255 bytes.
  static func expand(_ message: [UInt8], tag: [UInt8], count: Int) -> [UInt8] {
    let suffix = tag + [UInt8(tag.count)]
    let length = [UInt8(count >> 8), UInt8(count & 0xff)]
    let seed = Array(SHA256.hash(data: [UInt8](repeating: 0, count: 64) + message + length + [0] + suffix))
    var block = [UInt8](repeating: 0, count: 32)
    var output: [UInt8] = []
    for index in 1...UInt8((count + 31) / 32) {
      block = Array(SHA256.hash(data: zip(seed, block).map { $0 ^ $1 } + [index] + suffix))
      output += block
    }
    return Array(output.prefix(count))
  }

  /// The map of section 6.6.1 for y² = x³ + 3 with Z = 1. A zero counts as a square.
  static func map(_ u: BN254Field) -> BN254G1 {
    let one = BN254Field(1)
    let scaled = Constant.c1 * u.squared
    let plus = one + scaled
    let minus = one - scaled
    let inverse = (minus * plus).inverted
    let offset = u * minus * inverse * Constant.c3
    let candidates = [
      Constant.c2 - offset,
      Constant.c2 + offset,
      one + Constant.c4 * (plus.squared * inverse).squared,
    ]
    for x in candidates {
      guard let root = (x.squared * x + BN254Field(3)).squareRoot else { continue }
      let y = root.isOdd == u.isOdd ? root : root.negated
      if let point = BN254G1(x: x, y: y) { return point }
    }
    preconditionFailure("one of the three candidates is on the curve, as the map's construction proves")
  }

  /// Derived from g(x) = x³ + 3 and Z = 1 as section 6.6.1 says.
  private enum Constant {
    /// g(Z).
    static let c1 = BN254Field(4)
    /// -Z / 2.
    static let c2 = BN254Field(2).inverted.negated
    /// The even root of -g(Z) · 3Z².
    static let c3: BN254Field = {
      guard let root = BN254Field(-12).squareRoot else { preconditionFailure("-12 is a square modulo p") }
      return root.isOdd ? root.negated : root
    }()
    /// -4 · g(Z) / (3Z²).
    static let c4 = BN254Field(-16) * BN254Field(3).inverted
  }
}

/// The contracts' own mapping (`hashToG1` of their BN254 library): the first x at or after the digest that is on the curve.
enum SolidityHashToCurve {
  /// The point for `digest`. Half of all x are on the curve, so the loop ends soon.
  static func point(for digest: Digest32) -> BN254G1 {
    var x = BN254Field(reducing: digest.bytes)
    while true {
      // The root is the one that exponentiation gives, of either parity: the contract takes it as it comes.
      let y = (x.squared * x + BN254Field(3)).power(littleEndian: rootExponent)
      if let point = BN254G1(x: x, y: y) { return point }
      x = x + BN254Field(1)
    }
  }

  /// (p + 1) / 4, little-endian: raising a square to it gives a root, because p is 3 modulo 4.
  private static let rootExponent: [UInt8] = [
    0x52, 0x3f, 0x1f, 0xb6, 0x05, 0x23, 0x08, 0x4f, 0xa3, 0x72, 0x1c, 0x5a, 0xa4, 0x5a, 0xe0, 0x65,
    0x17, 0x56, 0x60, 0xa0, 0x6d, 0x11, 0x14, 0x6e, 0x0a, 0x68, 0x4c, 0xb8, 0x9c, 0x13, 0x19, 0x0c,
  ]
}
