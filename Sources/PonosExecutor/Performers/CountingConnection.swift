import PonosCore
import Synchronization

/// A line to a performer that counts the tasks on it, so that a busy performer can be told from a dead one.
package final class CountingConnection: PerformerConnection {
  /// What went over the line.
  package struct Activity: Sendable, Equatable {
    /// Tasks given and not answered yet.
    package var inFlight = 0
    /// Tasks answered since the line was made, whatever the answer.
    package var replies = 0

    package var isWorking: Bool { inFlight > 0 }
  }

  private let base: any PerformerConnection
  private let counts = Mutex(Activity())

  package init(_ base: any PerformerConnection) {
    self.base = base
  }

  package var activity: Activity { counts.withLock(\.self) }

  package func execute(
    _ id: TaskID, payload: [UInt8], timeout: Duration
  ) async throws(PerformerCallError) -> PerformerReply {
    counts.withLock { $0.inFlight += 1 }
    do throws(PerformerCallError) {
      let reply = try await base.execute(id, payload: payload, timeout: timeout)
      ended(withReply: true)
      return reply
    } catch {
      ended(withReply: error.isReply)
      throw error
    }
  }

  private func ended(withReply: Bool) {
    counts.withLock { counts in
      counts.inFlight -= 1
      if withReply { counts.replies += 1 }
    }
  }

  package func checkHealth(timeout: Duration) async -> HealthReport { await base.checkHealth(timeout: timeout) }

  package func close() async { await base.close() }
}

extension PerformerCallError {
  /// Whether the performer itself said something.
  fileprivate var isReply: Bool {
    switch self {
    case .answeredError, .replyTooLarge: true
    case .unreachable, .timedOut, .cancelled: false
    }
  }
}
