import PonosCore
import Testing
@testable import PonosConfiguration

/// Task streams and the aggregators to dial.
@Suite struct StreamConfigurationTests {
  private static let avs = "0x" + String(repeating: "4", count: 40)
  private static let aggregator = "0x" + String(repeating: "5", count: 40)

  private static let base =
    ConfigurationText.minimal + """
      avsPerformers:
        - avsAddress: "\(avs)"
          registry:
            executorOperatorSets: [{id: 1, curve: ecdsa}]
            aggregators: [{address: "\(aggregator)", curve: ecdsa, signingAddress: "\(aggregator)"}]

      """

  private static func entry(_ address: String, avs: String = avs, aggregator: String = aggregator) -> String {
    "  - {address: \"\(address)\", avsAddress: \"\(avs)\", aggregatorAddress: \"\(aggregator)\"}\n"
  }

  @Test func aggregatorsAndBoundsAreRead() throws {
    let text =
      Self.base + "aggregators:\n" + Self.entry("aggregator.example.org:9100")
      + "streams: {heartbeat: 3s, maxCredit: 7, maxUnacknowledged: 9}\n"
    let config = try ConfigurationText.load(text).config
    #expect(config.aggregators.count == 1)
    #expect(config.aggregators.first?.host == "aggregator.example.org" && config.aggregators.first?.port == 9100)
    #expect(config.aggregators.first?.owner.avs.description == Self.avs)
    #expect(config.streams.heartbeat == .seconds(3) && config.streams.maxCredit == 7 && config.streams.maxUnacknowledged == 9)
  }

  @Test func nobodyIsDialledByDefault() throws {
    let config = try ConfigurationText.load(Self.base).config
    #expect(config.aggregators == [] && config.streams == StreamConfig())
  }

  @Test func whatCouldNeverWorkIsAnError() throws {
    let other = "0x" + String(repeating: "6", count: 40)
    let text =
      Self.base + "aggregators:\n" + Self.entry("127.0.0.1:9100") + Self.entry("127.0.0.1:9101")
      + Self.entry("127.0.0.1:9102", avs: other) + Self.entry("127.0.0.1:9103", aggregator: other) + Self.entry("nowhere")
      + Self.entry("http://127.0.0.1:9100") + Self.entry("127.0.0.1:70000")
    let findings = try ConfigurationText.findings(text)
    #expect(findings.error("aggregators[1]")?.code == .conflict)
    #expect(findings.error("aggregators[2].avsAddress") != nil)
    #expect(findings.error("aggregators[3].aggregatorAddress") != nil)
    for index in 4...6 { #expect(findings.error("aggregators[\(index)].address") != nil) }
  }
}
