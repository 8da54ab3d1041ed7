import Foundation
import GRDB
import PonosCore

/// What a database says has been promised and signed: for audits of a database that no daemon has open.
package struct StoreAudit: Sendable, Equatable {
  /// Every task the database knows, by how far it has come.
  package var tasks: [TaskID: TaskPhase]
  /// The one digest that may be signed for each task.
  package var digests: [TaskID: Digest32]

  package init(tasks: [TaskID: TaskPhase] = [:], digests: [TaskID: Digest32] = [:]) {
    self.tasks = tasks
    self.digests = digests
  }

  /// Reads a database that a daemon left behind, however it ended. Blocks. What the write-ahead log holds is folded in, as at any
  /// start; give it a copy of a database that is still wanted as it is.
  package static func read(path: String) throws(StoreError) -> StoreAudit {
    do {
      let queue = try DatabaseQueue(path: path)
      let ledger = try queue.read { database in
        StoreAudit(
          tasks: try Dictionary(uniqueKeysWithValues: Self.rows(of: "SELECT id, phase FROM task", database, Self.task)),
          digests: try Dictionary(
            uniqueKeysWithValues: Self.rows(of: "SELECT task_id, digest FROM signed_digest", database, Self.digest)))
      }
      try queue.close()
      return ledger
    } catch {
      throw StoreError(error, while: "read \(path)", otherwise: .readFailed)
    }
  }

  private static func rows<Value>(
    of sql: String, _ database: Database, _ read: (Row) -> (TaskID, Value)?
  ) throws -> [(TaskID, Value)] {
    try Row.fetchAll(database, sql: sql).map { row in
      guard let value = read(row) else {
        throw StoreError(.readFailed, "could not read a row of '\(sql)': it is damaged")
      }
      return value
    }
  }

  private static func task(_ row: Row) -> (TaskID, TaskPhase)? {
    guard let id = TaskID(row[0] as Data), let phase = TaskPhase(rawValue: row[1]) else { return nil }
    return (id, phase)
  }

  private static func digest(_ row: Row) -> (TaskID, Digest32)? {
    guard let id = TaskID(row[0] as Data), let digest = Digest32(row[1] as Data) else { return nil }
    return (id, digest)
  }
}
