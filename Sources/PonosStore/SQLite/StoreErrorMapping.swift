import GRDB

extension StoreError {
  /// What `error`, thrown by GRDB or by an operation of ours, means to a caller: the one place where SQLite's codes are read.
  ///
  /// `action` completes "could not …"; `code` is used where SQLite's own code says nothing more exact. Values of rows never
  /// reach the message: GRDB keeps statement arguments out of its errors, and so does this.
  init(_ error: any Error, while action: String, otherwise code: Code) {
    switch error {
    case let error as StoreError:
      self = error
    case let error as DatabaseError:
      self.init(Self.code(of: error.resultCode) ?? code, "could not \(action): \(Self.explanation(of: error))")
    default:
      self.init(code, "could not \(action): \(error)")
    }
  }

  /// Whether `error` says that the disk failed, rather than that a write was at fault itself. A damaged page is in the way of
  /// those writes alone that need it: others must not be kept out by whoever asks for it again and again.
  static func isFailureOfDisk(_ error: any Error) -> Bool {
    guard let error = error as? DatabaseError else { return false }
    return switch error.resultCode {
    case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOTADB, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM: true
    default: false
    }
  }

  private static func code(of result: ResultCode) -> Code? {
    switch result {
    case .SQLITE_FULL: .diskFull
    case .SQLITE_NOTADB, .SQLITE_CANTOPEN: .cannotOpen
    case .SQLITE_CORRUPT: .readFailed
    default: nil
    }
  }

  private static func explanation(of error: DatabaseError) -> String {
    let said = "\(error.message ?? "no message") (SQLite \(error.extendedResultCode.rawValue))"
    return switch error.resultCode {
    case .SQLITE_FULL: "the disk is full; free some space, the store then goes on by itself: \(said)"
    case .SQLITE_IOERR: "the disk or file system failed; see the kernel log: \(said)"
    case .SQLITE_CORRUPT: "the database file is damaged; restore a backup: \(said)"
    case .SQLITE_NOTADB: "the file is not a SQLite database: \(said)"
    case .SQLITE_BUSY, .SQLITE_LOCKED: "another program holds the database; close it: \(said)"
    case .SQLITE_READONLY: "the file may not be written to; check its owner and the mount: \(said)"
    default: said
    }
  }
}
