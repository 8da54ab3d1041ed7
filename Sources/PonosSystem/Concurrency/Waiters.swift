import Synchronization

/// Callers that wait for an answer under their owner's lock: a part of the state that a `Mutex` guards.
///
/// The owner takes them out under its lock and resumes them after it has left it. A caller that is cancelled takes itself out, so each one
/// is resumed exactly once.
package struct Waiters<Answer: Sendable>: Sendable {
  fileprivate typealias Continuation = CheckedContinuation<Answer, Never>

  private var continuations: [UInt64: Continuation] = [:]
  private var lastNumber: UInt64 = 0

  package init() {}

  /// Callers that wait now.
  package var count: Int { continuations.count }
  package var isEmpty: Bool { continuations.isEmpty }

  /// Callers that were taken out and still have to be resumed.
  package struct Taken: Sendable {
    fileprivate let continuations: [Continuation]

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

  fileprivate mutating func insert(_ continuation: Continuation, number: UInt64) {
    continuations[number] = continuation
  }

  fileprivate mutating func remove(number: UInt64) -> Continuation? {
    continuations.removeValue(forKey: number)
  }
}

extension Waiters.Taken where Answer == Void {
  /// Resumes all of them; to be called once, without the lock.
  package func resume() { resume(returning: ()) }
}

/// Callers that wait under their owner's lock, each for what its key names: `Waiters` where not everybody waits for the same.
package struct KeyedWaiters<Key: Hashable & Sendable, Answer: Sendable>: Sendable {
  /// Without empty entries.
  private var continuations: [Key: [UInt64: Waiters<Answer>.Continuation]] = [:]
  private var lastNumber: UInt64 = 0

  package init() {}

  /// Whether anybody waits for `key`.
  package func contains(_ key: Key) -> Bool { continuations[key] != nil }

  /// Takes out everybody who waits for `key`.
  package mutating func take(_ key: Key) -> Waiters<Answer>.Taken {
    Waiters<Answer>.Taken(continuations: continuations.removeValue(forKey: key).map { Array($0.values) } ?? [])
  }

  /// Takes out everybody who waits, whatever for.
  package mutating func takeAll() -> Waiters<Answer>.Taken {
    defer { continuations = [:] }
    return Waiters<Answer>.Taken(continuations: continuations.values.flatMap(\.values))
  }

  fileprivate mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  fileprivate mutating func insert(_ continuation: Waiters<Answer>.Continuation, for key: Key, number: UInt64) {
    continuations[key, default: [:]][number] = continuation
  }

  fileprivate mutating func remove(_ key: Key, number: UInt64) -> Waiters<Answer>.Continuation? {
    let removed = continuations[key]?.removeValue(forKey: number)
    if continuations[key]?.isEmpty == true { continuations[key] = nil }
    return removed
  }
}

extension Mutex where Value: Sendable {
  /// Waits among `waiters` until the owner takes them out and resumes them.
  ///
  /// - Parameters:
  ///   - cancelled: The answer of a caller that is cancelled before that.
  ///   - ready: Looks at the state under the lock; an answer ends the wait before it begins.
  ///   - registered: Called without the lock once the caller is among those who wait: to start what they wait for.
  package func wait<Answer: Sendable>(
    in waiters: any WritableKeyPath<Value, Waiters<Answer>> & Sendable, cancelled: Answer, unless ready: (inout Value) -> Answer?,
    registered: () -> Void = {}
  ) async -> Answer {
    // A number before the wait: the cancellation handler may run before the caller is among those who wait.
    let number = withLock { $0[keyPath: waiters].nextNumber() }
    return await withTaskCancellationHandler {
      await register(
        unless: { ready(&$0) ?? (Task.isCancelled ? cancelled : nil) },
        insert: { $0[keyPath: waiters].insert($1, number: number) }, registered: registered)
    } onCancel: {
      withLock { $0[keyPath: waiters].remove(number: number) }?.resume(returning: cancelled)
    }
  }

  /// Waits among `waiters` for `key` until the owner takes them out and resumes them; otherwise like `wait(in:cancelled:unless:registered:)`.
  package func wait<Key: Hashable & Sendable, Answer: Sendable>(
    in waiters: any WritableKeyPath<Value, KeyedWaiters<Key, Answer>> & Sendable, for key: Key, cancelled: Answer,
    unless ready: (inout Value) -> Answer?, registered: () -> Void = {}
  ) async -> Answer {
    let number = withLock { $0[keyPath: waiters].nextNumber() }
    return await withTaskCancellationHandler {
      await register(
        unless: { ready(&$0) ?? (Task.isCancelled ? cancelled : nil) },
        insert: { $0[keyPath: waiters].insert($1, for: key, number: number) }, registered: registered)
    } onCancel: {
      withLock { $0[keyPath: waiters].remove(key, number: number) }?.resume(returning: cancelled)
    }
  }

  /// Waits like `wait(in:cancelled:unless:registered:)`, but goes on waiting when the caller is cancelled: for what its owner ends in any
  /// case.
  package func waitUncancelled<Answer: Sendable>(
    in waiters: any WritableKeyPath<Value, Waiters<Answer>> & Sendable, unless ready: (inout Value) -> Answer?,
    registered: () -> Void = {}
  ) async -> Answer {
    await register(
      unless: ready,
      insert: { state, continuation in
        let number = state[keyPath: waiters].nextNumber()
        state[keyPath: waiters].insert(continuation, number: number)
      }, registered: registered)
  }

  /// Waits for `key` and goes on waiting when the caller is cancelled.
  package func waitUncancelled<Key: Hashable & Sendable, Answer: Sendable>(
    in waiters: any WritableKeyPath<Value, KeyedWaiters<Key, Answer>> & Sendable, for key: Key,
    unless ready: (inout Value) -> Answer?, registered: () -> Void = {}
  ) async -> Answer {
    await register(
      unless: ready,
      insert: { state, continuation in
        let number = state[keyPath: waiters].nextNumber()
        state[keyPath: waiters].insert(continuation, for: key, number: number)
      }, registered: registered)
  }

  /// Looks at the state and joins those who wait in one step under the lock, so that no answer can come in between.
  private func register<Answer: Sendable>(
    unless ready: (inout Value) -> Answer?, insert: (inout Value, CheckedContinuation<Answer, Never>) -> Void,
    registered: () -> Void
  ) async -> Answer {
    await withCheckedContinuation { continuation in
      let answer = withLock { state -> Answer? in
        if let answer = ready(&state) { return answer }
        insert(&state, continuation)
        return nil
      }
      if let answer { continuation.resume(returning: answer) } else { registered() }
    }
  }
}
