import ArgumentParser
import Foundation
import PonosCore
import PonosExecutor

/// `state export-signed FILE`.
struct StateExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export-signed", abstract: "Writes the digests signed so far to a file, to take them to another host.",
    discussion: """
      The daemon must be stopped, and must not be started here again once the history is in use elsewhere: what it signed after the
      export would be missing there. The format is described in docs/operations/state.md.

      EXAMPLES
        ponos-executor state export-signed --config /etc/ponos/executor.yaml signed.json
        ponos-executor state export-signed --database executor.db --operator 0x1111111111111111111111111111111111111111 signed.json
      """)

  @Argument(help: ArgumentHelp("File to write; must not exist.", valueName: "file"))
  var file: String

  @OptionGroup var signer: OperatorOption
  @OptionGroup var location: StateLocation
  @OptionGroup var format: OutputOptions

  private struct Result: Encodable {
    var file: String
    var operatorAddress: String
    var entries: Int
  }

  func run() throws {
    let address = try signer.address(location)
    let path = try location.path()
    let count: Int
    do throws(StoreError) {
      let database = try OfflineDatabase(path: path)
      let target = try PrivateFile(file)
      do throws(StoreError) {
        count = try database.exportHistory(
          of: address, at: UnixMilliseconds(Date().timeIntervalSince1970 * 1000)
        ) { data in try target.write { try $0.write(contentsOf: data) } }
        _ = try target.commit()
      } catch {
        target.discard()
        throw error
      }
      try database.close()
    } catch {
      throw CommandFailure(error.description)
    }
    switch format.output {
    case .json: try Console.print(json: Result(file: file, operatorAddress: address.description, entries: count))
    case .table: try Console.print("exported \(count) signed digest\(count == 1 ? "" : "s") of \(address) to \(file)")
    }
  }
}
