/// What a store needs done to it, whatever it keeps.
package protocol StoreUpkeep: Sendable {
  /// Moves what the write-ahead log holds into the database file and shortens the log. Skipped while a reader is in the way.
  func compact() async throws(StoreError)
  /// Writes something and removes it again: returns when the disk has taken both.
  func tryToWrite() async throws(StoreError)
  /// Looks at every page and every record, beside other work, and returns what is wrong. Takes seconds for each GiB.
  func check() async throws(StoreError) -> StoreFindings
  /// Waits for pending writes and closes. Later calls throw `.closed`; closing again does nothing.
  func close() async throws(StoreError)
}
