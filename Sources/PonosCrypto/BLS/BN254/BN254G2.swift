import CMclBN256

/// A point of BN254's second group, over the quadratic extension of the base field, where public keys live.
///
/// An extension element is a real part (A0) and an imaginary part (A1); encodings put the imaginary part first, as the
/// pairing precompile of Ethereum does (EIP-197).
struct BN254G2 {
  var raw: mclBnG2

  init(raw: mclBnG2) {
    self.raw = raw
  }

  /// Why bytes are not a usable point.
  enum Flaw: Error {
    case notOnCurve, wrongSubgroup, infinity
  }

  /// Reads 128 bytes: X.A1, X.A0, Y.A1, Y.A0, each 32 bytes big-endian and below p. The point has to be on the curve, in
  /// the prime-order subgroup, and not infinity.
  init(bytes: [UInt8]) throws(Flaw) {
    precondition(bytes.count == 128)
    guard bytes.contains(where: { $0 != 0 }) else { throw .infinity }
    guard
      let x1 = BN254Field(bytes: bytes[0..<32]), let x0 = BN254Field(bytes: bytes[32..<64]),
      let y1 = BN254Field(bytes: bytes[64..<96]), let y0 = BN254Field(bytes: bytes[96..<128])
    else { throw .notOnCurve }
    self.init(x: (x0, x1), y: (y0, y1))
    guard isOnCurve else { throw .notOnCurve }
    guard withUnsafePointer(to: raw, { mclBnG2_isValid($0) == 1 }) else { throw .wrongSubgroup }
  }

  private init(x: (BN254Field, BN254Field), y: (BN254Field, BN254Field)) {
    raw = mclBnG2(
      x: mclBnFp2(d: (x.0.raw, x.1.raw)),
      y: mclBnFp2(d: (y.0.raw, y.1.raw)),
      z: mclBnFp2(d: (BN254Field(1).raw, BN254Field(0).raw)))
  }

  /// The generator that EIP-197 fixes.
  static let generator: BN254G2 = {
    let bytes: [UInt8] = [
      0x19, 0x8e, 0x93, 0x93, 0x92, 0x0d, 0x48, 0x3a, 0x72, 0x60, 0xbf, 0xb7, 0x31, 0xfb, 0x5d, 0x25,
      0xf1, 0xaa, 0x49, 0x33, 0x35, 0xa9, 0xe7, 0x12, 0x97, 0xe4, 0x85, 0xb7, 0xae, 0xf3, 0x12, 0xc2,
      0x18, 0x00, 0xde, 0xef, 0x12, 0x1f, 0x1e, 0x76, 0x42, 0x6a, 0x00, 0x66, 0x5e, 0x5c, 0x44, 0x79,
      0x67, 0x43, 0x22, 0xd4, 0xf7, 0x5e, 0xda, 0xdd, 0x46, 0xde, 0xbd, 0x5c, 0xd9, 0x92, 0xf6, 0xed,
      0x09, 0x06, 0x89, 0xd0, 0x58, 0x5f, 0xf0, 0x75, 0xec, 0x9e, 0x99, 0xad, 0x69, 0x0c, 0x33, 0x95,
      0xbc, 0x4b, 0x31, 0x33, 0x70, 0xb3, 0x8e, 0xf3, 0x55, 0xac, 0xda, 0xdc, 0xd1, 0x22, 0x97, 0x5b,
      0x12, 0xc8, 0x5e, 0xa5, 0xdb, 0x8c, 0x6d, 0xeb, 0x4a, 0xab, 0x71, 0x80, 0x8d, 0xcb, 0x40, 0x8f,
      0xe3, 0xd1, 0xe7, 0x69, 0x0c, 0x43, 0xd3, 0x7b, 0x4c, 0xe6, 0xcc, 0x01, 0x66, 0xfa, 0x7d, 0xaa,
    ]
    guard let point = try? BN254G2(bytes: bytes) else { preconditionFailure("the generator is a point by definition") }
    return point
  }()

  /// The point times a secret scalar, in time that does not depend on the scalar.
  func multiplied(bySecret scalar: UnsafePointer<mclBnFr>) -> BN254G2 {
    var raw = raw
    var output = mclBnG2()
    mclBnG2_mulCT(&output, &raw, scalar)
    return BN254G2(raw: output)
  }

  /// 128 bytes, in the order that `init(bytes:)` reads. The point must not be infinity.
  var bytes: [UInt8] {
    let (x, y) = affine
    return x.1.bytes + x.0.bytes + y.1.bytes + y.0.bytes
  }

  /// 64 bytes: X with the top two bits 10 for the smaller Y and 11 for the larger, comparing A1 before A0.
  var compressed: [UInt8] {
    let (x, y) = affine
    var bytes = x.1.bytes + x.0.bytes
    let larger = y.1.isZero ? y.0.isLarger : y.1.isLarger
    bytes[0] |= larger ? 0xc0 : 0x80
    return bytes
  }

  /// Whether y² = x³ + 3/(9+i), which tells a point off the curve from one outside the subgroup.
  private var isOnCurve: Bool {
    var x = raw.x, y = raw.y
    var left = mclBnFp2(), square = mclBnFp2(), right = mclBnFp2(), sum = mclBnFp2()
    mclBnFp2_sqr(&left, &y)
    mclBnFp2_sqr(&square, &x)
    mclBnFp2_mul(&right, &square, &x)
    var coefficient = Self.coefficient
    mclBnFp2_add(&sum, &right, &coefficient)
    return mclBnFp2_isEqual(&left, &sum) == 1
  }

  /// 3/(9+i), the constant of the twisted curve's equation.
  private static let coefficient: mclBnFp2 = {
    var three = mclBnFp2(d: (BN254Field(3).raw, BN254Field(0).raw))
    var twist = mclBnFp2(d: (BN254Field(9).raw, BN254Field(1).raw))
    var quotient = mclBnFp2()
    mclBnFp2_div(&quotient, &three, &twist)
    return quotient
  }()

  private var affine: (x: (BN254Field, BN254Field), y: (BN254Field, BN254Field)) {
    var raw = raw
    var output = mclBnG2()
    mclBnG2_normalize(&output, &raw)
    return (
      (BN254Field(raw: output.x.d.0), BN254Field(raw: output.x.d.1)),
      (BN254Field(raw: output.y.d.0), BN254Field(raw: output.y.d.1))
    )
  }
}
