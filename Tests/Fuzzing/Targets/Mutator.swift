/// Makes new inputs out of known ones: bits flipped, numbers at their limits, pieces cut, repeated, moved, taken from elsewhere.
///
/// The same seed makes the same inputs.
package struct Mutator: Sendable {
  private static let limits: [UInt8] = [0, 1, 0x7f, 0x80, 0xff]

  private let corpus: [[UInt8]]
  private let words: [[UInt8]]
  private let maxBytes: Int
  private var random: SplitMix64

  /// - Parameters:
  ///   - corpus: inputs to begin from; must not be empty.
  ///   - words: pieces to put in.
  ///   - maxBytes: length of the longest input made.
  package init(corpus: [[UInt8]], words: [[UInt8]], seed: UInt64, maxBytes: Int = 4_096) {
    precondition(!corpus.isEmpty)
    self.corpus = corpus
    self.words = words
    self.maxBytes = maxBytes
    random = SplitMix64(state: seed)
  }

  /// The next input.
  package mutating func next() -> [UInt8] {
    var bytes = pick(corpus)
    for _ in 0..<Int.random(in: 1...6, using: &random) { change(&bytes) }
    return Array(bytes.prefix(maxBytes))
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else {
      bytes = piece(of: pick(corpus))
      return
    }
    let index = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<9, using: &random) {
    case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
    case 2: bytes[index] = pick(Self.limits)
    case 3: bytes.removeSubrange(index..<end(from: index, in: bytes))
    case 4: bytes.insert(contentsOf: bytes[index..<end(from: index, in: bytes)], at: index)
    case 5: bytes.insert(contentsOf: piece(of: pick(corpus)), at: index)
    case 6: bytes.removeLast(bytes.count - index)
    case 7 where !words.isEmpty: bytes.insert(contentsOf: pick(words), at: index)
    default:
      let moved = Array(bytes[index..<end(from: index, in: bytes)])
      bytes.insert(contentsOf: moved, at: Int.random(in: bytes.indices, using: &random))
    }
  }

  private mutating func piece(of bytes: [UInt8]) -> [UInt8] {
    guard !bytes.isEmpty else { return [0] }
    let start = Int.random(in: bytes.indices, using: &random)
    return Array(bytes[start..<end(from: start, in: bytes)])
  }

  private mutating func end(from start: Int, in bytes: [UInt8]) -> Int {
    min(bytes.count, start + Int.random(in: 1...64, using: &random))
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: elements.indices, using: &random)]
  }
}

/// A small random generator with a seed (Steele, Lea and Flood, 2014).
private struct SplitMix64: RandomNumberGenerator, Sendable {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
