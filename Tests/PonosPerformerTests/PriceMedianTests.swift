import PonosPerformer
import Testing

@testable import PriceMedianPerformer

@Suite struct PriceMedianTests {
  private func median(_ quotes: [(String, String, UInt64)]) throws -> MedianRules.Outcome {
    try MedianRules().median(
      of: quotes.map { Quote(source: $0.0, price: try #require(Price($0.1)), timestamp: $0.2) })
  }

  @Test func exampleOfTheReadme() throws {
    let payload = """
      [{"source": "alpha", "price": "2500.10", "timestamp": 1760000000},
       {"source": "beta",  "price": "2501.00", "timestamp": 1760000004},
       {"source": "gamma", "price": "2499.95", "timestamp": 1760000007},
       {"source": "delta", "price": "9999.00", "timestamp": 1760000003}]
      """
    let result = try PriceMedianPerformer().handle(PerformerTask(id: "0x", payload: payload.utf8))
    // 250010000000 = 0x3a35c1da80
    #expect(result == [UInt8](repeating: 0, count: 27) + [0x3a, 0x35, 0xc1, 0xda, 0x80])
  }

  @Test func staleQuotesDoNotCount() throws {
    let outcome = try median([("a", "10", 100), ("b", "10", 160), ("c", "10", 161), ("d", "10", 161), ("e", "99", 100)])
    #expect(outcome == MedianRules.Outcome(price: try #require(Price("10")), staleCount: 2, outlierCount: 0))
  }

  @Test func eachSourceCountsOnceWithItsNewestQuote() throws {
    let outcome = try median([("a", "10", 1), ("a", "12", 2), ("b", "12", 2), ("c", "12", 2)])
    #expect(outcome.price == Price("12"))
    #expect(outcome.staleCount == 1)
  }

  @Test func orderDoesNotMatter() throws {
    let quotes: [(String, String, UInt64)] = [
      ("a", "10.01", 5), ("a", "10.02", 5), ("b", "10.03", 6), ("c", "10.00", 7), ("d", "10.04", 7), ("e", "44", 7),
    ]
    let expected = try median(quotes)
    for _ in 0..<20 { #expect(try median(quotes.shuffled()) == expected) }
    // Of two quotes with the same time the lower counts: a 10.01, c 10.00, b 10.03, d 10.04.
    #expect(expected.price == Price("10.02"))
  }

  @Test func closeAgreementIsNotThrownOutForNoise() throws {
    let outcome = try median([("a", "100", 1), ("b", "100", 1), ("c", "100", 1), ("d", "100.09", 1), ("e", "100.2", 1)])
    #expect(outcome.outlierCount == 1)
  }

  @Test func tooFewSourcesAreRefused() {
    #expect(throws: PerformerError.self) { try median([("a", "10", 1), ("b", "10", 1)]) }
    #expect(throws: PerformerError.self) { try median([("a", "10", 1), ("a", "10", 1), ("b", "10", 1)]) }
  }

  @Test(arguments: [
    "", "{}", "[]", "[1]", #"[{"source": "a", "price": 10, "timestamp": 1}]"#,
    #"[{"source": "", "price": "10", "timestamp": 1}]"#, #"[{"source": "a", "price": "10", "timestamp": -1}]"#,
    #"[{"source": "a", "price": "0", "timestamp": 1}]"#, #"[{"source": "a", "price": "1e3", "timestamp": 1}]"#,
  ])
  func refusesWhatIsNotAListOfQuotes(payload: String) {
    #expect(throws: PerformerError.self) {
      try PriceMedianPerformer().validate(PerformerTask(id: "0x", payload: payload.utf8))
    }
  }

  @Test(arguments: [
    ("2500", "2500.00000000"), ("0.00000001", "0.00000001"), ("1.5", "1.50000000"),
    ("100000000000000000000000", "100000000000000000000000.00000000"),
  ])
  func readsPrices(text: String, printed: String) throws {
    #expect(try #require(Price(text)).description == printed)
  }

  @Test(arguments: ["", ".", "1.", ".1", "-1", "+1", "1.000000001", "1,5", "0", "0.0", "1.2.3", "9999999999999999999999999"])
  func refusesOtherText(text: String) {
    #expect(Price(text) == nil)
  }
}
