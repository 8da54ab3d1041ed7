/// Tells which claims about one key's signatures hold, for the price of a single check when all do.
///
/// One check covers the combination of all claims. A combination that does not hold is halved until each wrong claim stands alone.
/// The error of the second half follows from those of the whole and of the first half, so a halving takes one pairing check: w
/// wrong claims among n take at most 1 + w·log₂n checks, and never more than n, the cost of checking one by one. Wrong signatures
/// therefore cannot make right ones dearer to check than they are alone.
package struct BN254Bisection: IteratorProtocol {
  /// The verdict on some of the claims.
  package struct Verdict: Equatable, Sendable {
    /// Their places among the claims.
    package let range: Range<Int>
    /// Whether these claims hold. Claims that hold may share a verdict; a claim that does not has one of its own.
    package let holds: Bool
  }

  private struct Suspect {
    let range: Range<Int>
    /// The error of the combination; it is not one, so at least one of the claims is wrong.
    let defect: BN254GT
  }

  private let combination: BN254Combination
  /// Combinations still to be halved; the last one is next.
  private var suspects: [Suspect] = []
  /// Pairing checks made so far.
  package private(set) var checks = 0

  /// Checks nothing yet; `next` does.
  package init(_ claims: [BN254Claim], of key: BN254PublicKey) {
    combination = BN254Combination(claims, of: key)
  }

  /// The next verdict; nil when every claim has got one.
  package mutating func next() -> Verdict? {
    if checks == 0, combination.count > 0 {
      let all = check(0..<combination.count)
      if all.defect.isOne { return Verdict(range: all.range, holds: true) }
      suspects.append(all)
    }
    while let suspect = suspects.popLast() {
      if suspect.range.count == 1 { return Verdict(range: suspect.range, holds: false) }
      let (first, second) = halve(suspect)
      if first.defect.isOne {
        suspects.append(second)
        return Verdict(range: first.range, holds: true)
      }
      suspects.append(first)
      if second.defect.isOne { return Verdict(range: second.range, holds: true) }
      suspects.append(second)
    }
    return nil
  }

  private mutating func halve(_ suspect: Suspect) -> (Suspect, Suspect) {
    let middle = suspect.range.lowerBound + suspect.range.count / 2
    let first = check(suspect.range.lowerBound..<middle)
    let second = Suspect(range: middle..<suspect.range.upperBound, defect: suspect.defect / first.defect)
    return (first, second)
  }

  private mutating func check(_ range: Range<Int>) -> Suspect {
    checks += 1
    return Suspect(range: range, defect: combination.defect(of: range))
  }
}
