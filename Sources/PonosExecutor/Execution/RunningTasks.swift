import PonosCore
import Synchronization

/// The tasks whose runs have begun, so that their aggregators can take them back.
///
/// The table has a task from before its row first says `executing` until a reply has passed the checks, the pauses between runs
/// included. After that the task has an answer, and a cancellation comes too late. A task that waits for another run is in the
/// queue as well.
package final class RunningTasks: Sendable {
  /// The runs of one task, and the pauses between them.
  package final class Run: Sendable {
    private struct State {
      /// Resumed when the call or pause has ended, or is to be ended.
      var waiter: CheckedContinuation<Void, Never>?
      var hasCallEnded = false
      var isCancelled = false

      mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter
      }
    }

    fileprivate let owner: TaskOwner
    private let state = Mutex(State())

    fileprivate init(owner: TaskOwner) {
      self.owner = owner
    }

    /// Whether the aggregator has taken the task back.
    package var isCancelled: Bool { state.withLock(\.isCancelled) }

    /// Makes a call to the performer, or pauses, as a child task that ends early when the aggregator takes the task back. One at
    /// a time.
    package func call<Reply: Sendable>(
      _ body: @escaping @Sendable () async throws(TaskFailure) -> Reply
    ) async throws(TaskFailure) -> Reply {
      let isCancelled = state.withLock { state in
        state.hasCallEnded = false
        return state.isCancelled
      }
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

  /// The runs of a task, which begin with this unless they have; end them with `close`.
  package func open(_ task: AcceptedTask) -> Run {
    runs.withLock { runs in
      if let run = runs[task.id] { return run }
      let run = Run(owner: task.owner)
      runs[task.id] = run
      return run
    }
  }

  /// The task runs no more and cannot be cancelled any more; returns whether it was. May be called again.
  @discardableResult
  package func close(_ id: TaskID) -> Bool {
    runs.withLock { $0.removeValue(forKey: id) }?.isCancelled ?? false
  }

  /// Ends the call or the pause of a task of `owner`. Returns false when there is no such task; otherwise the task ends as
  /// cancelled.
  package func cancel(_ id: TaskID, for owner: TaskOwner) -> Bool {
    // Under the lock: once a run is closed, it was cancelled or it never will be.
    runs.withLock { runs in
      guard let run = runs[id], run.owner == owner else { return false }
      run.cancel()
      return true
    }
  }
}
