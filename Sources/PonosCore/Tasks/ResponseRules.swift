/// What the outputs of one AVS must look like, beyond what holds for every output.
package struct ResponseRules: Sendable, Equatable {
  package enum Format: Sendable, Hashable {
    /// Any bytes.
    case any
    /// One JSON text in UTF-8.
    case json
    /// This many words of 32 bytes, as contracts encode values of fixed size; nil for any number from 1.
    case abiWords(Int?)
  }

  /// The rule that an output breaks.
  package enum Violation: Sendable, Hashable {
    case tooShort(count: Int, least: Int)
    case tooLong(count: Int, most: Int)
    case wrongPrefix(wanted: [UInt8])
    /// `offset` is the position of the first wrong byte.
    case notJSON(offset: Int)
    /// `words` is nil where any number is right.
    case notWords(count: Int, words: Int?)

    /// Says what was found and what was wanted; quotes nothing of the output.
    package var message: String {
      switch self {
      case .tooShort(let count, let least): "it has \(count) bytes, and minBytes is \(least)"
      case .tooLong(let count, let most): "it has \(count) bytes, and maxBytes is \(most)"
      case .wrongPrefix(let wanted): "it does not begin with \(Hex.encodePrefixed(wanted))"
      case .notJSON(let offset): "it is no JSON text from byte \(offset) on"
      case .notWords(let count, let words?): "it has \(count) bytes, and \(words) ABI words have \(words * 32)"
      case .notWords(let count, nil): "it has \(count) bytes, which are no ABI words of 32 bytes"
      }
    }
  }

  /// Smallest and largest number of bytes.
  package var lengths: ClosedRange<Int>
  /// First bytes of every output.
  package var prefix: [UInt8]
  package var format: Format

  package init(lengths: ClosedRange<Int> = 0...ResponseChecks.maxOutputBytes, prefix: [UInt8] = [], format: Format = .any) {
    self.lengths = lengths
    self.prefix = prefix
    self.format = format
  }

  /// No rules: every output keeps them.
  package static let none = ResponseRules()

  /// The first rule that `output` breaks, cheap ones first; nil when it keeps them all.
  package func violation(in output: [UInt8]) -> Violation? {
    if output.count < lengths.lowerBound { return .tooShort(count: output.count, least: lengths.lowerBound) }
    if output.count > lengths.upperBound { return .tooLong(count: output.count, most: lengths.upperBound) }
    if !output.starts(with: prefix) { return .wrongPrefix(wanted: prefix) }
    switch format {
    case .any: return nil
    case .json: return JSONSyntax.fault(in: output).map { .notJSON(offset: $0) }
    case .abiWords(let words):
      let fits = words.map { output.count == $0 * 32 } ?? (!output.isEmpty && output.count.isMultiple(of: 32))
      return fits ? nil : .notWords(count: output.count, words: words)
    }
  }
}
