/// Tells which claims about one key's signatures hold, for the price of a single check when all do.
///
/// All claims are checked as one combination. What is off is halved until the claims that are wrong stand alone. What the second
/// half is off by follows from the whole and the first half, so that each halving takes one pairing check: among n claims, w
/// wrong ones take at most 1 + w·log₂n checks, and never more than n, as many as one by one. Wrong signatures thus cannot make
/// right ones dearer to check than they are alone.
package struct BN254Bisection: IteratorProtocol {
  /// What was found out about some of the claims.
  package struct Verdict: Equatable, Sendable {
    /// Their places among the claims.
    package let range: Range<Int>
    /// Whether all of them hold, or none; of claims that do not hold each is told alone.
    package let holds: Bool
  }

  private struct Suspect {
    let range: Range<Int>
    /// Not one: at least one of the claims is wrong.
    let defect: BN254GT
  }

  private let combination: BN254Combination
  /// What has to be halved yet, the next last.
  private var suspects: [Suspect] = []
  /// Pairing checks made so far.
  package private(set) var checks = 0

  /// Reads nothing yet: each step computes when it is asked for.
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
