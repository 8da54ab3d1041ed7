import PonosCore
import Synchronization

/// The tasks that performers are at work on, so that their aggregators can take them back.
///
/// A run is in the table from before its task's row says `executing` until its reply has passed the checks: from there on the
/// task has an answer, and whoever cancels it comes too late.
package final class RunningTasks: Sendable {
  /// One run of a task.
  package final class Run: Sendable {
    private struct State {
      /// Resumed when the call has ended, or is to be ended.
      var waiter: CheckedContinuation<Void, Never>?
      var hasCallEnded = false
      var isCancelled = false

      mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter
      }
    }

    fileprivate let party: StreamParty
    private let state = Mutex(State())

    fileprivate init(party: StreamParty) {
      self.party = party
    }

    /// Whether the aggregator has taken the task back.
    package var isCancelled: Bool { state.withLock(\.isCancelled) }

    /// Makes the call to the performer, as a child task that ends early when the run is cancelled.
    package func call<Reply: Sendable>(
      _ body: @escaping @Sendable () async throws(TaskFailure) -> Reply
    ) async throws(TaskFailure) -> Reply {
      if isCancelled { throw .cancelled }
      let result = await withTaskGroup(of: Result<Reply, TaskFailure>.self) { group in
        group.addTask {
          defer { self.callEnded() }
          do throws(TaskFailure) { return .success(try await body()) } catch { return .failure(error) }
        }
        await self.callEndedOrCancelled()
        if self.isCancelled { group.cancelAll() }
        return await group.next()
      }
      guard let result else { preconditionFailure("the group has one child") }
      return try result.get()
    }

    fileprivate func cancel() {
      state.withLock { state in
        state.isCancelled = true
        return state.takeWaiter()
      }?.resume()
    }

    private func callEnded() {
      state.withLock { state in
        state.hasCallEnded = true
        return state.takeWaiter()
      }?.resume()
    }

    private func callEndedOrCancelled() async {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state in
          if state.hasCallEnded || state.isCancelled { return true }
          state.waiter = continuation
          return false
        }
        if isDone { continuation.resume() }
      }
    }
  }

  private let runs = Mutex<[TaskID: Run]>([:])

  package init() {}

  /// Begins a run of a task that has none; end it with `close`.
  package func open(_ task: AcceptedTask) -> Run {
    let run = Run(party: task.party)
    runs.withLock { $0[task.id] = run }
    return run
  }

  /// Ends a run. It cannot be cancelled any more; returns whether it was.
  @discardableResult
  package func close(_ id: TaskID) -> Bool {
    runs.withLock { $0.removeValue(forKey: id) }?.isCancelled ?? false
  }

  /// Ends the call of a task that runs for `party`. Returns false when no such task does; otherwise the task ends as cancelled.
  package func cancel(_ id: TaskID, for party: StreamParty) -> Bool {
    // Under the lock: once a run is closed, it was cancelled or it never will be.
    runs.withLock { runs in
      guard let run = runs[id], run.party == party else { return false }
      run.cancel()
      return true
    }
  }
}
