import PonosCore
import PonosPerformerTesting
import PonosStore
import Synchronization

/// What was seen of an executor from outside, in the order it was seen: by its clients, its performers, and whoever killed it.
package struct TaskHistory: Sendable {
  /// A definite answer to a task.
  package enum Answer: Hashable, Sendable {
    /// A signed result: its bytes as they went over the wire, and the digest its signature is over.
    case signed(bytes: [UInt8], digest: Digest32)
    case failed(code: String, message: String)
  }

  /// How a task should end.
  package enum Expectation: Hashable, Sendable {
    case signed
    /// With this code.
    case failed(String)
  }

  package enum Event: Sendable {
    /// A client sends a task, for the first time or again.
    case submitted(TaskID, avs: EthereumAddress, expecting: Expectation)
    /// A client was told that it is on disk.
    case receipted(TaskID)
    /// A client has an answer to it.
    case answered(TaskID, Answer)
    /// A client was told that the task will never be taken.
    case refused(TaskID, code: String)
    /// An aggregator could not use the answer, for this reason.
    case worthless(TaskID, problem: String)
    /// The executor was killed.
    case killed
    /// A performer of the AVS was lost with the runs it had.
    case performerLost(EthereumAddress)
    /// What a performer that has been there from the beginning was given, as far as it was given twice.
    case tally(EthereumAddress, PerformerTally)
    /// What the database says; the executor was not running.
    case ledger(StoreAudit)
  }

  package private(set) var events: [Event] = []

  package init(_ events: [Event] = []) {
    self.events = events
  }

  package mutating func append(_ event: Event) { events.append(event) }
}

/// A history that concurrent clients write.
package final class HistoryRecorder: Sendable {
  private let recorded = Mutex(TaskHistory())

  package init() {}

  package func record(_ event: TaskHistory.Event) {
    recorded.withLock { $0.append(event) }
  }

  package var history: TaskHistory { recorded.withLock { $0 } }
}
