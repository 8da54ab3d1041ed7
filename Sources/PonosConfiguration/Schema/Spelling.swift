/// Guesses which known name a mistyped one was meant to be.
enum Spelling {
  /// The known name nearest to `word`, ignoring case; nil when none is near enough to be a slip of the fingers.
  static func nearest(to word: String, among known: [String]) -> String? {
    let limit = max(1, min(3, word.count / 3))
    let scored = known.map { (name: $0, distance: distance(Array(word.lowercased().utf8), Array($0.lowercased().utf8))) }
    guard let best = scored.min(by: { $0.distance < $1.distance }), best.distance <= limit else { return nil }
    return best.name
  }

  /// Insertions, deletions, substitutions and swaps of neighbours between the two.
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforePrevious[j - 1] + 1) }
        row.append(best)
      }
      beforePrevious = previous
      previous = row
    }
    return previous[b.count]
  }
}
