import Synchronization

/// Runs the jobs of the tasks that prefer it one at a time, when a test says so and in the order it says: concurrency without
/// threads, the same each time.
final class StepExecutor: TaskExecutor {
  private let jobs = Mutex<[UnownedJob]>([])

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
  }

  /// Jobs that could run now.
  var readyCount: Int { jobs.withLock { $0.count } }

  /// Runs one of them up to its next suspension.
  func run(at index: Int) {
    let job = jobs.withLock { $0.remove(at: index) }
    job.runSynchronously(on: asUnownedTaskExecutor())
  }
}

/// Where tasks wait for something that the test decides: a disk, a performer, the time.
final class WaitingRoom<Key: Sendable, Verdict: Sendable>: Sendable {
  private struct State {
    var waiting: [(key: Key, continuation: CheckedContinuation<Verdict, Never>)] = []
    /// What everybody gets who comes after the end.
    var end: Verdict?
  }

  private let state = Mutex(State())

  /// Returns when the test has decided.
  func wait(_ key: Key) async -> Verdict {
    await withCheckedContinuation { continuation in
      let end = state.withLock { state -> Verdict? in
        if state.end == nil { state.waiting.append((key, continuation)) }
        return state.end
      }
      if let end { continuation.resume(returning: end) }
    }
  }

  /// Who waits, in the order they came.
  var keys: [Key] { state.withLock { $0.waiting.map(\.key) } }

  var count: Int { state.withLock { $0.waiting.count } }

  /// Lets one of them go on.
  func release(at index: Int, with verdict: Verdict) {
    let released = state.withLock { $0.waiting.remove(at: index) }
    released.continuation.resume(returning: verdict)
  }

  /// Lets everybody go on whom `condition` picks.
  func release(with verdict: Verdict, where condition: (Key) -> Bool) {
    let released = state.withLock { state in
      let released = state.waiting.filter { condition($0.key) }
      state.waiting.removeAll { condition($0.key) }
      return released
    }
    for one in released { one.continuation.resume(returning: verdict) }
  }

  /// Lets everybody go on, now and from now on.
  func close(with verdict: Verdict) {
    let released = state.withLock { state in
      state.end = verdict
      defer { state.waiting = [] }
      return state.waiting
    }
    for one in released { one.continuation.resume(returning: verdict) }
  }
}
