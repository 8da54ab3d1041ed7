import Synchronization

/// Callers that wait for an answer under their owner's lock: a part of the state that a `Mutex` guards.
///
/// The owner takes them out under its lock and resumes them after it has left it. A caller that is cancelled takes itself out, so each one
/// is resumed exactly once.
package struct Waiters<Answer: Sendable>: Sendable {
  private var continuations: [UInt64: CheckedContinuation<Answer, Never>] = [:]
  private var lastNumber: UInt64 = 0

  package init() {}

  /// Callers that wait now.
  package var count: Int { continuations.count }
  package var isEmpty: Bool { continuations.isEmpty }

  /// Callers that were taken out and still have to be resumed.
  package struct Taken: Sendable {
    fileprivate let continuations: [CheckedContinuation<Answer, Never>]

    /// Resumes all of them; to be called once, without the lock.
    package func resume(returning answer: Answer) {
      for continuation in continuations { continuation.resume(returning: answer) }
    }
  }

  /// Takes out everybody who waits.
  package mutating func takeAll() -> Taken {
    defer { continuations = [:] }
    return Taken(continuations: Array(continuations.values))
  }

  fileprivate mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  fileprivate mutating func insert(_ continuation: CheckedContinuation<Answer, Never>, number: UInt64) {
    continuations[number] = continuation
  }

  fileprivate mutating func remove(number: UInt64) -> CheckedContinuation<Answer, Never>? {
    continuations.removeValue(forKey: number)
  }
}

extension Mutex where Value: Sendable {
  /// Waits among `waiters` until the owner takes them out and resumes them.
  ///
  /// - Parameters:
  ///   - cancelled: The answer of a caller that is cancelled before that.
  ///   - ready: Looks at the state under the lock; an answer ends the wait before it begins.
  package func wait<Answer: Sendable>(
    in waiters: any WritableKeyPath<Value, Waiters<Answer>> & Sendable, cancelled: Answer, unless ready: (inout Value) -> Answer?
  ) async -> Answer {
    // A number before the wait: the cancellation handler may run before the caller is among those who wait.
    let number = withLock { $0[keyPath: waiters].nextNumber() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer = withLock { state -> Answer? in
          if let answer = ready(&state) { return answer }
          if Task.isCancelled { return cancelled }
          state[keyPath: waiters].insert(continuation, number: number)
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      withLock { $0[keyPath: waiters].remove(number: number) }?.resume(returning: cancelled)
    }
  }
}
