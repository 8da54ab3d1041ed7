import PonosPerformer

/// Agrees on a price: the median of the fresh quotes in the payload, after outliers are removed, as an ABI-encoded `uint256`
/// with 8 decimals. The README states every rule; the same payload gives every operator the same 32 bytes.
@main
struct PriceMedianPerformer: Performer {
  var rules = MedianRules()

  static func main() async {
    await PerformerServer.main { try PerformerServer(PriceMedianPerformer()) }
  }

  func validate(_ task: PerformerTask) throws(PerformerError) {
    _ = try Quote.list(fromJSON: task.payload)
  }

  func handle(_ task: PerformerTask) throws(PerformerError) -> [UInt8] {
    let quotes = try Quote.list(fromJSON: task.payload)
    let outcome = try rules.median(of: quotes)
    task.log.info(
      "price agreed",
      metadata: [
        "price": "\(outcome.price)", "quotes": "\(quotes.count)", "stale": "\(outcome.staleCount)",
        "outliers": "\(outcome.outlierCount)",
      ])
    return outcome.price.abiEncoded
  }
}
