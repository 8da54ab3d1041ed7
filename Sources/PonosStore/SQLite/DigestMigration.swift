import GRDB

/// The migration that lets a signed task keep its digest in its own row, and takes away what each task cost besides: two indexes and the
/// table in which SQLite counts sequence numbers.
///
/// SQLite counts for as long as a table is declared so, hence the tables are made anew. Digests recorded before stay where they are.
enum DigestMigration {
  static func apply(_ database: Database) throws {
    try makeTaskTable(database)
    try makeTablesBesideIt(database)
    try copyRows(database)
    // Children first: to drop a table deletes its rows, and with them those that refer to them.
    try database.execute(
      sql: """
        DROP TABLE delivery;
        DROP TABLE submission;
        DROP TABLE task;
        ALTER TABLE new_task RENAME TO task;
        ALTER TABLE new_submission RENAME TO submission;
        ALTER TABLE new_delivery RENAME TO delivery;
        """)
    try makeRules(database)
  }

  /// Large columns come last, so that the others are read without them.
  private static func makeTaskTable(_ database: Database) throws {
    try database.execute(
      sql: """
        ALTER TABLE installation ADD COLUMN last_sequence INTEGER NOT NULL DEFAULT 0;

        CREATE TABLE new_task (
          sequence INTEGER PRIMARY KEY,
          id BLOB NOT NULL UNIQUE,
          content_hash BLOB NOT NULL,
          avs BLOB NOT NULL,
          operator_set INTEGER NOT NULL,
          aggregator BLOB NOT NULL,
          priority INTEGER NOT NULL,
          accepted_at INTEGER NOT NULL,
          deadline INTEGER NOT NULL,
          seal BLOB,
          phase TEXT NOT NULL,
          attempt INTEGER NOT NULL,
          performer_id TEXT,
          finished_at INTEGER,
          failure_code TEXT,
          failure_message BLOB,
          has_earlier_digest INTEGER,
          digest_curve TEXT,
          digest BLOB,
          digest_seal BLOB,
          outcome_seal BLOB,
          output BLOB,
          result BLOB
        ) STRICT;
        """)
  }

  private static func makeTablesBesideIt(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE new_submission (
          sequence INTEGER PRIMARY KEY REFERENCES new_task ON DELETE CASCADE,
          bytes BLOB NOT NULL,
          seal BLOB
        ) STRICT;

        CREATE TABLE new_delivery (
          sequence INTEGER PRIMARY KEY REFERENCES new_task ON DELETE CASCADE,
          aggregator BLOB NOT NULL,
          avs BLOB NOT NULL,
          ready_at INTEGER
        ) STRICT;
        """)
  }

  private static func copyRows(_ database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO new_task (
          sequence, id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline, seal, phase, attempt,
          performer_id, finished_at, failure_code, failure_message, outcome_seal, output, result, has_earlier_digest)
        SELECT sequence, id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline, seal, phase, attempt,
          performer_id, finished_at, failure_code, failure_message, outcome_seal, output, result,
          CASE WHEN finished_at IS NULL THEN (SELECT 1 FROM signed_digest WHERE task_id = task.id) END
        FROM task;
        INSERT INTO new_submission SELECT sequence, bytes, seal FROM submission;
        INSERT INTO new_delivery SELECT sequence, aggregator, avs, ready_at FROM delivery;
        UPDATE installation SET last_sequence = COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'task'), 0);
        """)
  }

  /// As the version before had them, except for the indexes by phase and end: submissions say which tasks are unfinished, and those
  /// past their retention are found in the order of acceptance.
  private static func makeRules(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE INDEX delivery_ready ON delivery (aggregator, avs, ready_at, sequence) WHERE ready_at IS NOT NULL;
        CREATE TRIGGER delivery_becomes_ready AFTER UPDATE OF finished_at ON task WHEN NEW.finished_at IS NOT NULL
        BEGIN
          UPDATE delivery SET ready_at = NEW.finished_at WHERE sequence = NEW.sequence;
        END;
        """)
  }
}
