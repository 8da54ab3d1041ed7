import Foundation
import PonosPerformer

/// What one source said a price was, and when.
struct Quote: Equatable {
  /// Name of the exchange or feed.
  var source: String
  var price: Price
  /// Unix seconds.
  var timestamp: UInt64

  /// Most quotes in one task.
  static let maxCount = 1000

  /// Reads a JSON list of `{"source": "…", "price": "2500.12", "timestamp": 1760000000}`.
  ///
  /// Prices are text: a JSON number would pass through floating point and lose digits.
  static func list(fromJSON payload: [UInt8]) throws(PerformerError) -> [Quote] {
    let entries: [Entry]
    do {
      entries = try JSONDecoder().decode([Entry].self, from: Data(payload))
    } catch {
      throw .permanent("the payload is not a JSON list of {source, price, timestamp}, with source and price as text")
    }
    guard (1...maxCount).contains(entries.count) else {
      throw .permanent("the payload has \(entries.count) quotes: give 1 to \(maxCount)")
    }
    var quotes: [Quote] = []
    for (index, entry) in entries.enumerated() {
      guard !entry.source.isEmpty else { throw .permanent("quote \(index) has no source") }
      guard let price = Price(entry.price) else {
        throw .permanent("quote \(index) has price '\(entry.price.prefix(40))': give a positive decimal, at most 8 decimals")
      }
      quotes.append(Quote(source: entry.source, price: price, timestamp: entry.timestamp))
    }
    return quotes
  }

  private struct Entry: Decodable {
    var source: String
    var price: String
    var timestamp: UInt64
  }
}
