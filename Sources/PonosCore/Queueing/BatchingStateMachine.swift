import DequeModule

/// Decides which items are worked on together, and when: work whose cost is shared by all items of a batch, unless one is bad.
///
/// An item that comes while no batch is in work is worked on at once. Items that come later make the next batch, so that batches
/// grow with the load and no item waits for a batch to fill up. A batch with a bad item in it costs more and keeps its good items
/// waiting; therefore each such batch halves how large the next may be, and each without doubles it again. From the first bad
/// item until batches have their full size again, as many are worked on at a time as there are workers: bad items then delay good
/// ones no more than they would one by one.
package struct BatchingStateMachine<Item> {
  /// Of any item, what it counts in a batch, and the most a batch may count.
  package struct Settings: Sendable, Equatable {
    /// The most the items of one batch may weigh together, at least 1; a heavier item makes a batch of its own.
    package var batchWeight: Int
    /// Batches that may be worked on at a time after a bad item, at least 1.
    package var workers: Int

    package init(batchWeight: Int = 64, workers: Int) {
      self.batchWeight = max(1, batchWeight)
      self.workers = max(1, workers)
    }
  }

  private let settings: Settings
  private var waiting: Deque<(item: Item, weight: Int)> = []
  private var running = 0
  /// The most the next batch may weigh.
  private var limit: Int

  package init(_ settings: Settings) {
    self.settings = settings
    limit = settings.batchWeight
  }

  /// Whether the machine is in its first state: no batch in work, and full batches allowed.
  package var isFresh: Bool { running == 0 && limit == settings.batchWeight }

  /// Items that wait.
  package var waitingCount: Int { waiting.count }

  /// Takes an item in; returns the batches to begin now.
  package mutating func arrive(_ item: Item, weight: Int) -> [[Item]] {
    waiting.append((item, weight))
    return nextBatches()
  }

  /// Takes note that a batch was worked on; returns the batches to begin now. Once for each batch.
  package mutating func finish(foundBad: Bool) -> [[Item]] {
    running -= 1
    limit = foundBad ? max(1, limit / 2) : min(settings.batchWeight, limit * 2)
    return nextBatches()
  }

  private var workers: Int { limit < settings.batchWeight ? settings.workers : 1 }

  private mutating func nextBatches() -> [[Item]] {
    var batches: [[Item]] = []
    while running < workers, !waiting.isEmpty {
      running += 1
      batches.append(takeBatch())
    }
    return batches
  }

  private mutating func takeBatch() -> [Item] {
    var (batch, weight): ([Item], Int) = ([], 0)
    while let next = waiting.first, batch.isEmpty || weight + next.weight <= limit {
      weight += next.weight
      batch.append(waiting.removeFirst().item)
    }
    return batch
  }
}

extension BatchingStateMachine: Sendable where Item: Sendable {}
