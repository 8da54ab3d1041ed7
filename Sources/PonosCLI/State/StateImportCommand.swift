import ArgumentParser
import Foundation
import PonosCore
import PonosStore

/// `state import-signed FILE`.
struct StateImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-signed", abstract: "Adds the digests signed on another host to the database, all of them or none.",
    discussion: """
      The daemon must be stopped; a missing database is made. Importing a file again changes nothing. When a task has another digest
      here than in the file, nothing is imported, every such task is listed, and the exit status is 65.

      EXAMPLES
        ponos-executor state import-signed --config /etc/ponos/executor.yaml signed.json
        ponos-executor state import-signed --database executor.db --operator 0x1111111111111111111111111111111111111111 signed.json
      """)

  @Argument(help: ArgumentHelp("File that export-signed has written.", valueName: "file"))
  var file: String

  @OptionGroup var signer: OperatorOption
  @OptionGroup var location: StateLocation
  @OptionGroup var format: OutputOptions

  /// Bytes of the file read at a time.
  private static let chunk = 1 << 20

  private struct Result: Encodable {
    var file: String
    var added: Int
    var known: Int
    var conflicts: [HistoryError.Conflict]
  }

  func run() throws {
    let address = try signer.address(location)
    let path = try location.path()
    let document: FileHandle
    do { document = try FileHandle(forReadingFrom: URL(fileURLWithPath: file)) } catch {
      throw CommandFailure("\(file) cannot be read: \(error.localizedDescription)")
    }
    var (outcome, conflicts) = (OfflineDatabase.Import(), [HistoryError.Conflict]())
    do throws(HistoryError) { outcome = try take(document, into: path, of: address) } catch {
      guard case .conflicts(let found) = error else { throw CommandFailure("\(file): \(error.description)") }
      conflicts = found
      Console.note("\(file): \(error.description)")
    }
    switch format.output {
    case .json:
      try Console.print(json: Result(file: file, added: outcome.added, known: outcome.known, conflicts: conflicts))
    case .table: try printTable(outcome, conflicts)
    }
    if !conflicts.isEmpty { throw StateCommand.unsound }
  }

  private func take(
    _ document: FileHandle, into path: String, of address: EthereumAddress
  ) throws(HistoryError) -> OfflineDatabase.Import {
    let database: OfflineDatabase
    do throws(StoreError) { database = try OfflineDatabase(path: path, mayCreate: true) } catch { throw .store(error) }
    let outcome = try database.importHistory(of: address) { try document.read(upToCount: Self.chunk) ?? Data() }
    do throws(StoreError) { try database.close() } catch { throw .store(error) }
    return outcome
  }

  private func printTable(_ outcome: OfflineDatabase.Import, _ conflicts: [HistoryError.Conflict]) throws {
    guard !conflicts.isEmpty else {
      return try Console.print("imported \(outcome.added) signed digests; \(outcome.known) were known")
    }
    var table = TextTable(header: ["TASK", "RECORDED HERE", "IN THE FILE"])
    for conflict in conflicts {
      table.add([conflict.taskId.description, conflict.recorded.description, conflict.imported.description])
    }
    try Console.print(table.text)
  }
}
