import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import PonosConfiguration
import PonosCore
import PonosExecutor

/// `chain status`.
struct ChainStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Asks every endpoint, and says whether the AVSs of the configuration would be served.",
    discussion: """
      Exits with 1 when an endpoint, the agreement or an AVS of the configuration is not as it has to be. The calls of the last hour are
      those of the daemon that runs with the same configuration, if it answers.

      EXAMPLES
        ponos-executor chain status --config /etc/ponos/executor.yaml
        ponos-executor chain status -o json
      """)

  @OptionGroup var chain: ChainOptions
  @OptionGroup var format: OutputOptions

  private struct Report: Encodable {
    var chain: ChainStatusReport
    var avs: [AVSChainReport]
  }

  func run() async throws {
    let (config, access) = try await chain.open()
    let inspector = ChainInspector(access, config: config, keys: await ChainOptions.keys(config))
    var report = Report(chain: await inspector.status(), avs: [])
    await addDaemonCalls(to: &report.chain, config)
    for avs in config.avs where avs.registry == nil { report.avs.append(await inspector.inspect(avs.address)) }
    switch format.output {
    case .json: try Console.print(json: report)
    case .table: try print(report)
    }
    if !report.chain.problems.isEmpty || report.avs.contains(where: { !$0.problems.isEmpty }) {
      throw ChainCommand.wouldBeRefused
    }
  }

  private func print(_ report: Report) throws {
    let chain = report.chain
    var table = TextTable(header: ["ENDPOINT", "STATE", "HEAD", "LAG", "CALLS/H", "LAST ERROR"])
    for endpoint in chain.endpoints {
      table.add([
        endpoint.endpoint, endpoint.state, endpoint.head.map(String.init) ?? "-", "\(endpoint.lag)", "\(endpoint.callsLastHour)",
        endpoint.lastError ?? "-",
      ])
    }
    try Console.print(table.text)
    let age = chain.headTimestamp.map { ", \(max(0, Int(Date().timeIntervalSince1970) - Int($0))) s old" } ?? ""
    try Console.print(
      "chain \(chain.chainID), newest block \(chain.head.map(String.init) ?? "unknown")\(age), agreement of \(chain.agreement)")
    for problem in chain.problems { try Console.print("! \(problem)") }
    for avs in report.avs { try AVSReportText.print(avs) }
  }

  /// The daemon's own calls; this program has made a few of its own only.
  private func addDaemonCalls(to report: inout ChainStatusReport, _ config: ExecutorConfig) async {
    guard config.operations.port != 0 else { return }
    let request = HTTPClientRequest(url: "http://\(config.operations.address):\(config.operations.port)/api/v1/state")
    let state: StateDump
    do {
      let response = try await HTTPClient.shared.execute(request, timeout: .seconds(2))
      let body = try await response.body.collect(upTo: 8 << 20)
      state = try JSONDecoder().decode(StateDump.self, from: Data(body.readableBytesView))
    } catch {
      // No daemon runs here, which is no failure of this command.
      return
    }
    for index in report.endpoints.indices {
      let calls = state.chain.first { $0.endpoint == report.endpoints[index].endpoint }?.callsLastHour
      report.endpoints[index].callsLastHour = calls ?? report.endpoints[index].callsLastHour
    }
  }
}
