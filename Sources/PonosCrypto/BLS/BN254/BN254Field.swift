import CMclBN256

/// An element of BN254's base field: an integer modulo
/// p = 21888242871839275222246405745257275088696311157297823662689037894645226208583, calculated by mcl.
struct BN254Field {
  var raw: mclBnFp

  init(raw: mclBnFp) {
    self.raw = raw
  }

  /// A small integer.
  init(_ value: Int64) {
    MCL.ready
    raw = mclBnFp()
    mclBnFp_setInt(&raw, value)
  }

  /// Reads 32 bytes, big-endian; nil unless they are below p.
  init?(bytes: some BidirectionalCollection<UInt8>) {
    MCL.ready
    precondition(bytes.count == 32)
    raw = mclBnFp()
    let littleEndian = Array(bytes.reversed())
    guard mclBnFp_deserialize(&raw, littleEndian, 32) == 32 else { return nil }
  }

  /// Reads up to 64 bytes, big-endian, and reduces them modulo p.
  init(reducing bytes: [UInt8]) {
    MCL.ready
    precondition(bytes.count <= 64)
    raw = mclBnFp()
    mclBnFp_setBigEndianMod(&raw, bytes, bytes.count)
  }

  /// 32 bytes, big-endian.
  var bytes: [UInt8] {
    var raw = raw
    var bytes = [UInt8](repeating: 0, count: 32)
    mclBnFp_serialize(&bytes, 32, &raw)
    bytes.reverse()
    return bytes
  }

  var isOdd: Bool { withUnsafePointer(to: raw) { mclBnFp_isOdd($0) == 1 } }
  var isZero: Bool { withUnsafePointer(to: raw) { mclBnFp_isZero($0) == 1 } }
  /// Whether this is the larger of the element and its negative, read as integers.
  var isLarger: Bool { withUnsafePointer(to: raw) { mclBnFp_isNegative($0) == 1 } }

  var squared: BN254Field { map(mclBnFp_sqr) }
  /// The multiplicative inverse; zero for zero.
  var inverted: BN254Field { isZero ? self : map(mclBnFp_inv) }
  var negated: BN254Field { map(mclBnFp_neg) }

  /// A square root; nil where there is none. Which of the two is not specified.
  var squareRoot: BN254Field? {
    var raw = raw
    var root = mclBnFp()
    return mclBnFp_squareRoot(&root, &raw) == 0 ? BN254Field(raw: root) : nil
  }

  /// This element to the power of `exponent`, 32 bytes little-endian.
  func power(littleEndian exponent: [UInt8]) -> BN254Field {
    map { mclBnFp_powArray($0, $1, exponent, exponent.count) }
  }

  static func + (left: BN254Field, right: BN254Field) -> BN254Field { combine(left, right, mclBnFp_add) }
  static func - (left: BN254Field, right: BN254Field) -> BN254Field { combine(left, right, mclBnFp_sub) }
  static func * (left: BN254Field, right: BN254Field) -> BN254Field { combine(left, right, mclBnFp_mul) }

  private func map<Status>(
    _ operation: (UnsafeMutablePointer<mclBnFp>?, UnsafePointer<mclBnFp>?) -> Status
  ) -> BN254Field {
    var raw = raw
    var output = mclBnFp()
    _ = operation(&output, &raw)
    return BN254Field(raw: output)
  }

  private static func combine(
    _ left: BN254Field, _ right: BN254Field,
    _ operation: (UnsafeMutablePointer<mclBnFp>?, UnsafePointer<mclBnFp>?, UnsafePointer<mclBnFp>?) -> Void
  ) -> BN254Field {
    var left = left.raw
    var right = right.raw
    var output = mclBnFp()
    operation(&output, &left, &right)
    return BN254Field(raw: output)
  }
}

extension BN254Field: Equatable {
  static func == (left: BN254Field, right: BN254Field) -> Bool {
    var left = left.raw
    var right = right.raw
    return mclBnFp_isEqual(&left, &right) == 1
  }
}
