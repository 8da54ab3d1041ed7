import DequeModule

/// Remembers how tasks ended, for retries: bounded in bytes, in number and in time, the oldest out first.
///
/// The outcome of a task never changes, so an entry cannot become wrong, only be forgotten.
package struct RecentOutcomes<Outcome: Sendable>: Sendable {
  /// What is kept of a finished task.
  package struct Entry: Sendable {
    /// Of the task as it was submitted.
    package var contentHash: Digest32
    /// The aggregator's verified signature: equal content under it needs no second check.
    package var signature: [UInt8]
    package var outcome: Outcome
    /// About what the outcome takes in memory.
    package var byteCount: Int

    package init(contentHash: Digest32, signature: [UInt8], outcome: Outcome, byteCount: Int) {
      self.contentHash = contentHash
      self.signature = signature
      self.outcome = outcome
      self.byteCount = byteCount
    }
  }

  /// How much is kept.
  package struct Limits: Sendable, Equatable {
    package var bytes = 64 << 20
    package var count = 65_536
    /// In milliseconds.
    package var age = Int64.max

    package init() {}

    /// - Parameter age: In milliseconds.
    package init(bytes: Int, count: Int, age: Int64) {
      self.bytes = bytes
      self.count = count
      self.age = age
    }
  }

  private struct Place: Sendable {
    let id: TaskID
    let keptAt: Int64
    let byteCount: Int
  }

  private let limits: Limits
  private var entries: [TaskID: Entry] = [:]
  /// In the order in which the entries came.
  private var places: Deque<Place> = []
  /// Of all entries.
  package private(set) var bytes = 0

  package init(limits: Limits = Limits()) {
    self.limits = limits
  }

  /// Entries kept.
  package var count: Int { entries.count }

  /// Keeps an outcome, unless the task has one or the outcome is larger than the limit.
  ///
  /// - Parameter now: In milliseconds of a clock that is never set back.
  package mutating func keep(_ entry: Entry, of id: TaskID, now: Int64) {
    forget(before: now)
    guard entries[id] == nil, entry.byteCount <= limits.bytes, limits.count > 0 else { return }
    entries[id] = entry
    places.append(Place(id: id, keptAt: now, byteCount: entry.byteCount))
    bytes += entry.byteCount
    while bytes > limits.bytes || entries.count > limits.count { dropOldest() }
  }

  /// How a task ended; nil when that is not known or forgotten.
  package mutating func entry(of id: TaskID, now: Int64) -> Entry? {
    forget(before: now)
    return entries[id]
  }

  private mutating func forget(before now: Int64) {
    while let oldest = places.first, now - oldest.keptAt >= limits.age { dropOldest() }
  }

  private mutating func dropOldest() {
    guard let oldest = places.popFirst() else { return }
    entries[oldest.id] = nil
    bytes -= oldest.byteCount
  }
}
