import GRDB

/// The table of outcomes that wait for their aggregator.
extension SQLiteSchema {
  /// A row lives as long as its task at most. `ready_at` is when the task ended, kept by a trigger, so that finishing a task is one
  /// statement whether anybody waits for it or not; the index holds what can be sent, in the order in which it is sent.
  static func addDeliveries(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE delivery (
          sequence INTEGER PRIMARY KEY REFERENCES task ON DELETE CASCADE,
          aggregator BLOB NOT NULL,
          avs BLOB NOT NULL,
          ready_at INTEGER
        ) STRICT;
        CREATE INDEX delivery_ready ON delivery (aggregator, avs, ready_at, sequence) WHERE ready_at IS NOT NULL;
        CREATE TRIGGER delivery_becomes_ready AFTER UPDATE OF finished_at ON task WHEN NEW.finished_at IS NOT NULL
        BEGIN
          UPDATE delivery SET ready_at = NEW.finished_at WHERE sequence = NEW.sequence;
        END;
        """)
  }
}
