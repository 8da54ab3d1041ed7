import ArgumentParser
import PonosStore

/// `state verify [FILE]`.
struct StateVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Checks the database, or a backup of it: every page, index and record.",
    discussion: """
      Changes nothing, and may run beside the daemon. Exits with 0 when everything is sound and with 65 when something is damaged.

      EXAMPLES
        ponos-executor state verify --config /etc/ponos/executor.yaml
        ponos-executor state verify /backup/executor.db -o json
      """)

  @Argument(help: ArgumentHelp("Database or backup (default: the configured database).", valueName: "file"))
  var file: String?

  @OptionGroup var location: StateLocation
  @OptionGroup var format: OutputOptions

  private struct Result: Encodable {
    var file: String
    var intact: Bool
    var records: Int
    var faultCount: Int
    var faults: [String]
  }

  func run() throws {
    let path = try file ?? location.path()
    let findings: StoreFindings
    do throws(StoreError) {
      findings = try StoreVerification.run(path: path) { Console.note("checked \($0) records") }
    } catch {
      throw CommandFailure(error.description)
    }
    switch format.output {
    case .json:
      try Console.print(
        json: Result(
          file: path, intact: findings.isIntact, records: findings.records, faultCount: findings.count, faults: findings.faults))
    case .table:
      for fault in findings.faults { try Console.print(fault) }
      let verdict = findings.isIntact ? "intact" : "damaged, \(findings.count) fault\(findings.count == 1 ? "" : "s")"
      try Console.print("\(path): \(verdict); \(findings.records) records checked")
    }
    if !findings.isIntact { throw StateCommand.unsound }
  }
}
