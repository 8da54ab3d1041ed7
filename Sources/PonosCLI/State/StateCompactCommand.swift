import ArgumentParser
import PonosStore

/// `state compact`.
struct StateCompactCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact", abstract: "Gives the room of deleted records back to the disk; the daemon must be stopped.",
    discussion: """
      The daemon uses that room again by itself, so this is for a database that was much larger once. It needs about as much free
      space as the database takes, for a while.

      EXAMPLES
        ponos-executor state compact --config /etc/ponos/executor.yaml
        ponos-executor state compact --database /var/lib/ponos/executor.db -o json
      """)

  @OptionGroup var location: StateLocation
  @OptionGroup var format: OutputOptions

  private struct Result: Encodable {
    var database: String
    var bytesBefore: Int64
    var bytesAfter: Int64
  }

  func run() throws {
    let path = try location.path()
    let compaction: OfflineDatabase.Compaction
    do throws(StoreError) {
      let database = try OfflineDatabase(path: path)
      compaction = try database.compact()
      try database.close()
    } catch {
      throw CommandFailure(error.description)
    }
    switch format.output {
    case .json:
      try Console.print(
        json: Result(database: path, bytesBefore: compaction.before, bytesAfter: compaction.after))
    case .table:
      try Console.print(
        "compacted \(path): \(ByteCount.text(compaction.before)) before, \(ByteCount.text(compaction.after)) now")
    }
  }
}
