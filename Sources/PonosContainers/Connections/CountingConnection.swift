import PonosCore
import Synchronization

/// A connection to a performer that counts the tasks on it, so that a busy performer can be told from a dead one, and a
/// hanging one from a slow one.
package final class CountingConnection: PerformerConnection {
  private struct State {
    var activity = TaskActivity()
    var detector: HangDetector
  }

  private let base: any PerformerConnection
  private let state: Mutex<State>
  private let hang: AsyncStream<Int>.Continuation
  /// Yields the number of runs in a row without an answer once it makes the performer hang. For one reader.
  package let hangs: AsyncStream<Int>

  /// - Parameter hangThreshold: Runs in a row without an answer that make the performer hang.
  package init(_ base: any PerformerConnection, hangThreshold: Int = ProbeSettings.standard.hangThreshold) {
    self.base = base
    state = Mutex(State(detector: HangDetector(threshold: hangThreshold)))
    (hangs, hang) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  package var activity: TaskActivity { state.withLock(\.activity) }

  package func execute(
    _ id: TaskID, payload: [UInt8], timeout: Duration
  ) async throws(PerformerCallError) -> PerformerReply {
    state.withLock { $0.activity.inFlight += 1 }
    let start = ContinuousClock.now
    do throws(PerformerCallError) {
      let reply = try await base.execute(id, payload: payload, timeout: timeout)
      ended(after: ContinuousClock.now - start, with: nil)
      return reply
    } catch {
      ended(after: ContinuousClock.now - start, with: error)
      throw error
    }
  }

  private func ended(after time: Duration, with error: PerformerCallError?) {
    let silentRuns = state.withLock { state -> Int? in
      state.activity.inFlight -= 1
      if error?.isReply ?? true {
        state.activity.replies += 1
        state.detector.replied(after: time)
        return nil
      }
      return error == .timedOut && state.detector.timedOut(after: time) ? state.detector.silentRuns : nil
    }
    if let silentRuns { hang.yield(silentRuns) }
  }

  package var probe: any Probe { base.probe }

  package func close() async { await base.close() }
}

extension PerformerCallError {
  /// Whether the performer itself said something.
  fileprivate var isReply: Bool {
    switch self {
    case .answeredError, .answeredBusy, .replyTooLarge: true
    case .unreachable, .timedOut, .cancelled: false
    }
  }
}
