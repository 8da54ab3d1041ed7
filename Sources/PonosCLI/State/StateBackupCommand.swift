import ArgumentParser
import PonosStore

/// `state backup FILE`.
struct StateBackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copies the database into a file, also while the daemon runs.",
    discussion: """
      The copy is of one moment, is checked before it gets its name, and replaces no file. Restoring it takes the executor back to
      that moment: read docs/operations/state.md first, because signatures made since then would be forgotten.

      EXAMPLES
        ponos-executor state backup --config /etc/ponos/executor.yaml /backup/executor.db
        ponos-executor state backup --database /var/lib/ponos/executor.db executor-copy.db -o json
      """)

  @Argument(help: ArgumentHelp("File to write; must not exist.", valueName: "file"))
  var file: String

  @OptionGroup var location: StateLocation
  @OptionGroup var format: OutputOptions

  private struct Result: Encodable {
    var database: String
    var file: String
    var bytes: Int64
  }

  func run() throws {
    let path = try location.path()
    var shown = -1
    let bytes: Int64
    do throws(StoreError) {
      bytes = try StoreBackup.write(from: path, to: file) { progress in
        let percent = progress.total == 0 ? 100 : progress.copied * 100 / progress.total
        guard percent / 10 > shown / 10 || shown < 0 else { return }
        shown = percent
        Console.note("copied \(percent)% of \(ByteCount.text(Int64(progress.total) * 4096))")
      }
    } catch {
      throw CommandFailure(error.description)
    }
    switch format.output {
    case .json: try Console.print(json: Result(database: path, file: file, bytes: bytes))
    case .table: try Console.print("backed up \(path) to \(file), \(ByteCount.text(bytes))")
    }
  }
}
