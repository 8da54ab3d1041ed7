import Foundation
import GRDB
import PonosCore

/// The statements of the outbox of task streams.
enum DeliveryStatements {
  /// With the acceptance of the task whose sequence number is given.
  static func add(_ task: AcceptedTaskRecord, sequence: Int64, _ database: Database) throws {
    try database.cachedStatement(sql: "INSERT INTO delivery (sequence, aggregator, avs) VALUES (?, ?, ?)").execute(
      arguments: [sequence, Data(task.aggregator.bytes), Data(task.operatorSet.avs.bytes)])
  }

  static func expect(_ id: TaskID, _ owner: TaskOwner, _ database: Database) throws -> TaskStanding {
    let statement = try database.cachedStatement(
      sql: "SELECT sequence, finished_at FROM task WHERE id = ? AND aggregator = ? AND avs = ?")
    let (aggregator, avs) = (Data(owner.aggregator.bytes), Data(owner.avs.bytes))
    guard let row = try Row.fetchOne(statement, arguments: [Data(id.bytes), aggregator, avs]) else { return .unknown }
    let columns = StoredColumns(row: row, subject: "task \(id)")
    let (sequence, finishedAt) = (try columns.integer(0), try columns.optionalInteger(1))
    try database.cachedStatement(
      sql: "INSERT INTO delivery (sequence, aggregator, avs, ready_at) VALUES (?, ?, ?, ?) ON CONFLICT (sequence) DO NOTHING"
    ).execute(arguments: [sequence, aggregator, avs, finishedAt])
    return finishedAt == nil ? .unfinished : .finished
  }

  static func page(
    for owner: TaskOwner, excluding excluded: Set<TaskID>, limit: Int, bytes: Int, _ database: Database
  ) throws -> DeliveryPage {
    let statement = try database.cachedStatement(
      sql: """
        SELECT task.id, COALESCE(LENGTH(task.result), 0) FROM delivery JOIN task ON task.sequence = delivery.sequence
        WHERE delivery.aggregator = ? AND delivery.avs = ? AND delivery.ready_at IS NOT NULL
        ORDER BY delivery.ready_at, delivery.sequence
        """)
    // Read from the index, row by row and no further than the page goes.
    let rows = try Row.fetchCursor(statement, arguments: [Data(owner.aggregator.bytes), Data(owner.avs.bytes)])
    var page = DeliveryPage(tasks: [], isAll: true)
    var total = 0
    while let row = try rows.next() {
      let columns = StoredColumns(row: row, subject: "a task that waits for its aggregator")
      // A damaged id, too, costs its own row alone.
      guard let id: TaskID = try? columns.fixed(0), !excluded.contains(id) else { continue }
      let size = Int(try columns.integer(1))
      guard page.tasks.count < limit, page.tasks.isEmpty || total + size <= bytes else {
        page.isAll = false
        break
      }
      guard let task = try intact(id, database) else { continue }
      total += size
      page.tasks.append(task)
    }
    return page
  }

  /// nil for a task that cannot be relied on: it must not hold up the others. Checks of the store tell of it.
  private static func intact(_ id: TaskID, _ database: Database) throws -> TaskRecord? {
    do {
      let task = try TaskStatements.task(id, database)
      return task?.damage == nil ? task : nil
    } catch let error as StoreError where error.code == .damaged {
      return nil
    }
  }

  static func delete(_ ids: [TaskID], _ owner: TaskOwner, _ database: Database) throws {
    let statement = try database.cachedStatement(
      sql: """
        DELETE FROM delivery WHERE ready_at IS NOT NULL AND aggregator = ? AND avs = ?
          AND sequence = (SELECT sequence FROM task WHERE id = ?)
        """)
    let (aggregator, avs) = (Data(owner.aggregator.bytes), Data(owner.avs.bytes))
    for id in ids { try statement.execute(arguments: [aggregator, avs, Data(id.bytes)]) }
  }
}
