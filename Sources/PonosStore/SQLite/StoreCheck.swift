import GRDB
import PonosCore

/// Looks for damage in a database: SQLite's own check of its pages, then every record against its seal.
struct StoreCheck {
  enum Depth {
    /// Without comparing indexes with their tables.
    case quick
    case full
  }

  /// The first schema version whose records have seals, and all that the selections read.
  static let firstSealedVersion = 5

  let depth: Depth
  /// Called now and then with the number of records looked at.
  var progress: (Int) -> Void = { _ in }

  /// Throws only where the database cannot be read at all.
  func findings(in database: Database) throws -> StoreFindings {
    var findings = StoreFindings()
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    try checkPages(database, &findings)
    // Of an earlier version only the pages can be checked: its records lack what the selections read.
    guard version >= Self.firstSealedVersion else { return findings }
    try check(TaskRow.selection, in: database, &findings) { row in
      if try TaskRow.record(row).damage != nil { throw StoredColumns(row: row, subject: try Self.task(row)).damaged }
    }
    try check(DigestRow.selection, in: database, &findings) { _ = try DigestRow.record($0) }
    try check(PerformerRow.selection, in: database, &findings) { _ = try PerformerRow.record($0) }
    try survive(&findings) { _ in _ = try InstallationStatements.installationID(database) }
    return findings
  }

  private func checkPages(_ database: Database, _ findings: inout StoreFindings) throws {
    let pragma = depth == .quick ? "quick_check" : "integrity_check"
    try survive(&findings) { findings in
      for line in try String.fetchAll(database, sql: "PRAGMA \(pragma)(\(StoreFindings.listed))") where line != "ok" {
        findings.add(line)
      }
    }
    guard depth == .full else { return }
    try survive(&findings) { findings in
      for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check") {
        findings.add("a row of table \(try StoredColumns(row: row, subject: "a check").text(0)) refers to one that is missing")
      }
    }
  }

  private func check(
    _ selection: String, in database: Database, _ findings: inout StoreFindings, _ verify: (Row) throws -> Void
  ) throws {
    try survive(&findings) { findings in
      let rows = try Row.fetchCursor(database, sql: selection)
      while let row = try rows.next() {
        findings.records += 1
        if findings.records.isMultiple(of: 10_000) { progress(findings.records) }
        try survive(&findings) { _ in try verify(row) }
      }
    }
  }

  /// Damage is what is looked for: notes it, and lets everything else through.
  private func survive(_ findings: inout StoreFindings, _ body: (inout StoreFindings) throws -> Void) throws {
    do { try body(&findings) } catch let error as StoreError where error.code == .damaged {
      findings.add(error.message)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
      findings.add("SQLite cannot read on: \(error.message ?? "the file is damaged")")
    }
  }

  private static func task(_ row: Row) throws -> String {
    let id: TaskID = try StoredColumns(row: row, subject: "a task").fixed(0)
    return "task \(id)"
  }
}
