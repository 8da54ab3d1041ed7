import ArgumentParser
import Foundation
import PonosCore
import PonosStore
import PonosSystem

/// `state export-signed FILE`.
struct StateExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export-signed", abstract: "Writes the digests signed so far to a file, to take them to another host.",
    discussion: """
      The daemon must be stopped, and must not be started here again once the history is in use elsewhere: what it signed after the
      export would be missing there. The format is described in docs/operations/state.md.

      A history with a damaged record is not exported, unless --skip-damaged says to leave such records out. When some were, standard
      error says how many, and the exit status is 65.

      EXAMPLES
        ponos-executor state export-signed --config /etc/ponos/executor.yaml signed.json
        ponos-executor state export-signed --database executor.db --operator 0x1111111111111111111111111111111111111111 signed.json
      """)

  @Argument(help: ArgumentHelp("File to write; must not exist.", valueName: "file"))
  var file: String

  @Flag(help: "Export what can be read, and leave out what is damaged.")
  var skipDamaged = false

  @OptionGroup var signer: OperatorOption
  @OptionGroup var location: StateLocation
  @OptionGroup var format: OutputOptions

  private struct Result: Encodable {
    var file: String
    var operatorAddress: String
    var entries: Int
    var skipped: Int
    var hasGap: Bool
  }

  func run() throws {
    let address = try signer.address(location)
    let path = try location.path()
    let summary: HistoryExport.Summary
    do throws(StoreError) {
      let database = try OfflineDatabase(path: path)
      let target = try PrivateFile(file)
      do throws(StoreError) {
        summary = try database.exportHistory(
          of: address, at: UnixMilliseconds(Date().timeIntervalSince1970 * 1000), skipsDamaged: skipDamaged
        ) { data in try target.append(data) }
        _ = try target.commit()
      } catch {
        target.discard()
        throw error
      }
      try database.close()
    } catch {
      let canSkip = !skipDamaged && [.damaged, .readFailed].contains(error.code)
      throw CommandFailure(error.description + (canSkip ? "; --skip-damaged exports what can be read" : ""))
    }
    try report(summary, address)
  }

  private func report(_ summary: HistoryExport.Summary, _ address: EthereumAddress) throws {
    let count = summary.entries
    switch format.output {
    case .json:
      try Console.print(
        json: Result(
          file: file, operatorAddress: address.description, entries: count, skipped: summary.skipped, hasGap: summary.hasGap))
    case .table: try Console.print("exported \(count) signed digest\(count == 1 ? "" : "s") of \(address) to \(file)")
    }
    guard !summary.isComplete else { return }
    if summary.skipped > 0 {
      Console.note("skipped \(summary.skipped) damaged record\(summary.skipped == 1 ? "" : "s")")
    }
    if summary.hasGap {
      Console.note("a part of the table cannot be read at all; nobody knows how many records are missing for that")
    }
    Console.note("an executor that imports \(file) may sign other answers for the tasks that are missing")
    throw StateCommand.unsound
  }
}
