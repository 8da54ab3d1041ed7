import CMclBN256

/// A value of BN254's pairing: an element of the target group, whose order is r, calculated by mcl.
struct BN254GT {
  private var raw: mclBnGT

  /// The product of the pairings of each point of G1 with the point of G2 beside it.
  init(pairing pairs: [(BN254G1, BN254G2)]) {
    let first = pairs.map(\.0.raw)
    let second = pairs.map(\.1.raw)
    var loop = mclBnGT()
    raw = mclBnGT()
    mclBn_millerLoopVec(&loop, first, second, pairs.count)
    mclBn_finalExp(&raw, &loop)
  }

  private init(raw: mclBnGT) {
    self.raw = raw
  }

  var isOne: Bool { withUnsafePointer(to: raw) { mclBnGT_isOne($0) == 1 } }

  static func / (left: BN254GT, right: BN254GT) -> BN254GT {
    var left = left.raw
    var right = right.raw
    // Values of a pairing are unitary, for which mcl's cheap inverse is the inverse.
    var inverse = mclBnGT()
    mclBnGT_inv(&inverse, &right)
    var output = mclBnGT()
    mclBnGT_mul(&output, &left, &inverse)
    return BN254GT(raw: output)
  }
}
