/// The store could not do what it was asked.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable, Equatable {
    /// The database could not be opened or is not ours.
    case cannotOpen = "store_cannot_open"
    /// A write or its fsync failed; nothing was changed.
    case writeFailed = "store_write_failed"
    /// A read failed, or the database file is damaged.
    case readFailed = "store_read_failed"
    /// A record is not what was written; it is not handed out.
    case damaged = "store_record_damaged"
    /// The disk is full; nothing was changed.
    case diskFull = "store_disk_full"
    /// Another daemon has the database open.
    case locked = "store_locked"
    /// More writes wait than the store takes; a new task must be refused for now.
    case overloaded = "store_overloaded"
    /// A transition names a task that was never accepted.
    case unknownTask = "store_unknown_task"
    /// A transition names a task that is signed or failed already.
    case finishedTask = "store_finished_task"
    /// The store was closed.
    case closed = "store_closed"
  }

  package let code: Code
  /// What was attempted, on what, and what the system said.
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { "\(message) (\(code.rawValue))" }
}
