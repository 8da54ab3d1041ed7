import CMclBN256

/// A point of BN254's first group, y² = x³ + 3 over the base field, where signatures and hashed messages live.
///
/// The cofactor is 1: every point of the curve is in the group.
struct BN254G1 {
  var raw: mclBnG1

  init(raw: mclBnG1) {
    self.raw = raw
  }

  /// The point (x, y); nil off the curve.
  init?(x: BN254Field, y: BN254Field) {
    raw = mclBnG1(x: x.raw, y: y.raw, z: BN254Field(1).raw)
    guard withUnsafePointer(to: raw, { mclBnG1_isValid($0) == 1 }) else { return nil }
  }

  /// (1, 2).
  static let generator = BN254G1(x: BN254Field(1), y: BN254Field(2))!

  var isInfinity: Bool { withUnsafePointer(to: raw) { mclBnG1_isZero($0) == 1 } }

  var negated: BN254G1 {
    var raw = raw
    var output = mclBnG1()
    mclBnG1_neg(&output, &raw)
    return BN254G1(raw: output)
  }

  static func + (left: BN254G1, right: BN254G1) -> BN254G1 {
    var left = left.raw
    var right = right.raw
    var output = mclBnG1()
    mclBnG1_add(&output, &left, &right)
    return BN254G1(raw: output)
  }

  /// The point times a secret scalar, in time that does not depend on the scalar.
  func multiplied(bySecret scalar: UnsafePointer<mclBnFr>) -> BN254G1 {
    var raw = raw
    var output = mclBnG1()
    mclBnG1_mulCT(&output, &raw, scalar)
    return BN254G1(raw: output)
  }

  /// The sum of each point times the public scalar beside it; infinity for none.
  static func sum(_ points: ArraySlice<BN254G1>, times scalars: ArraySlice<mclBnFr>) -> BN254G1 {
    precondition(points.count == scalars.count)
    // A copy, because mcl normalizes the points in place.
    var points = points.map(\.raw)
    var output = mclBnG1()
    scalars.withUnsafeBufferPointer { mclBnG1_mulVec(&output, &points, $0.baseAddress, points.count) }
    return BN254G1(raw: output)
  }

  /// 64 bytes: X, Y, each 32 bytes big-endian; all zero for infinity.
  var bytes: [UInt8] {
    let (x, y) = affine
    return x.bytes + y.bytes
  }

  /// 32 bytes: X with the top two bits 10 for the smaller Y and 11 for the larger; 0x40 and zeros for infinity.
  var compressed: [UInt8] {
    guard !isInfinity else { return [0x40] + [UInt8](repeating: 0, count: 31) }
    let (x, y) = affine
    var bytes = x.bytes
    bytes[0] |= y.isLarger ? 0xc0 : 0x80
    return bytes
  }

  private var affine: (x: BN254Field, y: BN254Field) {
    guard !isInfinity else { return (BN254Field(0), BN254Field(0)) }
    var raw = raw
    var output = mclBnG1()
    mclBnG1_normalize(&output, &raw)
    return (BN254Field(raw: output.x), BN254Field(raw: output.y))
  }
}
