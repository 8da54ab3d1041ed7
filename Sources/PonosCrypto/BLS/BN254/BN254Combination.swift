import CMclBN256

/// Claims about one key's signatures, weighted with random numbers so that any of them can be checked in one equation.
///
/// With a random odd number rᵢ of 128 bits for each signature, Σ rᵢ·signatureᵢ against Σ rᵢ·messageᵢ takes one pairing check for
/// all. If all signatures are the key's, it always holds; if one is not, it holds with a chance of 2⁻¹²⁷, because the numbers are
/// drawn after the signatures are known: errors that cancel each other out in a plain sum do not here.
struct BN254Combination {
  private let key: BN254PublicKey
  private let signatures: [BN254G1]
  private let messages: [BN254G1]
  private let coefficients: [mclBnFr]
  /// Index of each claim's first signature; after the last claim, the number of signatures.
  private let bounds: [Int]

  init(_ claims: [BN254Claim], of key: BN254PublicKey) {
    self.key = key
    signatures = claims.flatMap { $0.points.map(\.signature) }
    messages = claims.flatMap { $0.points.map(\.message) }
    coefficients = BN254Scalar.randomCoefficients(signatures.count)
    bounds = claims.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.points.count) }
  }

  /// How many claims there are.
  var count: Int { bounds.count - 1 }

  /// The error of the claims in `range`: the product of their own errors, which is one if all of them hold.
  func defect(of range: Range<Int>) -> BN254GT {
    let span = bounds[range.lowerBound]..<bounds[range.upperBound]
    return key.defect(
      signature: BN254G1.sum(signatures[span], times: coefficients[span]),
      message: BN254G1.sum(messages[span], times: coefficients[span]))
  }
}
