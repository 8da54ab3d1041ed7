import PonosPerformer

/// How one price is made of many quotes. A pure function of the quotes: no clock, no order, no source is trusted more.
struct MedianRules {
  /// A quote is stale when it is more than this many seconds older than the newest quote of the task. Measured against the
  /// payload and not against a clock, which would differ from operator to operator.
  var maxAge: UInt64 = 60
  /// A quote is an outlier when it is farther from the median than this many times the median distance…
  var outlierFactor: UInt128 = 3
  /// …and farther than the median divided by this (0.1 %), so that sources in close agreement are not thrown out for noise.
  var noiseDivisor: UInt128 = 1000
  /// Fewer sources than this cannot outvote a wrong one.
  var minSources = 3

  struct Outcome: Equatable {
    var price: Price
    /// Quotes that were too old, or replaced by a newer one of their source.
    var staleCount: Int
    var outlierCount: Int
  }

  func median(of quotes: [Quote]) throws(PerformerError) -> Outcome {
    let fresh = freshPrices(of: quotes)
    guard let rough = Self.median(fresh), let spread = Self.median(fresh.map { rough.distance(to: $0) }) else {
      throw .permanent("there are no quotes")
    }
    let tolerance = max(spread.units * outlierFactor, rough.units / noiseDivisor)
    let agreeing = fresh.filter { rough.distance(to: $0).units <= tolerance }
    guard agreeing.count >= minSources, let price = Self.median(agreeing) else {
      throw .permanent("\(agreeing.count) sources have a fresh quote near the others: at least \(minSources) are needed")
    }
    return Outcome(
      price: price, staleCount: quotes.count - fresh.count, outlierCount: fresh.count - agreeing.count)
  }

  /// One price per source, its newest; of two with the same time, the lower, so that order does not matter.
  private func freshPrices(of quotes: [Quote]) -> [Price] {
    guard let newest = quotes.map(\.timestamp).max() else { return [] }
    var bySource: [String: Quote] = [:]
    for quote in quotes where newest - quote.timestamp <= maxAge {
      guard let known = bySource[quote.source] else {
        bySource[quote.source] = quote
        continue
      }
      let isNewer = quote.timestamp > known.timestamp
      let isTieAndLower = quote.timestamp == known.timestamp && quote.price < known.price
      if isNewer || isTieAndLower { bySource[quote.source] = quote }
    }
    return bySource.values.map(\.price)
  }

  /// The middle one; of an even number, the mean of the middle two, rounded down. nil for none.
  private static func median(_ prices: [Price]) -> Price? {
    guard !prices.isEmpty else { return nil }
    let sorted = prices.sorted()
    let middle = sorted.count / 2
    if !sorted.count.isMultiple(of: 2) { return sorted[middle] }
    return Price(units: (sorted[middle - 1].units + sorted[middle].units) / 2)
  }
}
