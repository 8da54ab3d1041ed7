import DequeModule
import PonosCore
import Synchronization

/// Beginnings of runs that are not in the database yet.
///
/// Nothing durable depends on one, so none begins a transaction: most are written together with the end of their task, in the same
/// change of its row. One that is older than `delay` is written beside whatever is written next. Until then reads show it from here.
final class RunBeginnings: Sendable {
  /// A run as its task's row is to show it.
  struct Run: Sendable {
    let performerID: String
    let attempt: Int
    let onFailure: @Sendable (StoreError) -> Void
  }

  /// Most runs are over by then, and their beginnings need no write of their own.
  static let delay = Duration.milliseconds(100)

  private struct State {
    var runs: [TaskID: (run: Run, since: ContinuousClock.Instant)] = [:]
    /// In the order of their beginnings; those that are not in `runs` any more are passed over.
    var order: Deque<(id: TaskID, since: ContinuousClock.Instant)> = []
  }

  private let state = Mutex(State())

  func add(_ run: Run, of id: TaskID, at now: ContinuousClock.Instant = .now) {
    state.withLock { state in
      state.runs[id] = (run, now)
      state.order.append((id, now))
    }
  }

  /// The run of a task, which whoever asks writes.
  func take(_ id: TaskID) -> Run? {
    state.withLock { $0.runs.removeValue(forKey: id)?.run }
  }

  /// Those that began before `time`, oldest first, which whoever asks writes.
  func take(before time: ContinuousClock.Instant) -> [(TaskID, Run)] {
    state.withLock { state in
      var due: [(TaskID, Run)] = []
      while let first = state.order.first, first.since < time {
        state.order.removeFirst()
        guard let entry = state.runs[first.id], entry.since == first.since else { continue }
        state.runs[first.id] = nil
        due.append((first.id, entry.run))
      }
      return due
    }
  }

  /// `record` as it will read once the run of its task is written.
  func shown(in record: TaskRecord) -> TaskRecord {
    guard let run = current(record.id, record.phase) else { return record }
    var shown = record
    (shown.phase, shown.performerID, shown.attempt) = (.executing, run.performerID, run.attempt)
    return shown
  }

  /// `summary` as it will read once the run of its task is written.
  func shown(in summary: TaskSummary) -> TaskSummary {
    guard let run = current(summary.id, summary.phase) else { return summary }
    var shown = summary
    (shown.phase, shown.performerID, shown.attempt) = (.executing, run.performerID, run.attempt)
    return shown
  }

  private func current(_ id: TaskID, _ phase: TaskPhase) -> Run? {
    guard phase == .queued || phase == .executing else { return nil }
    return state.withLock { $0.runs[id]?.run }
  }
}
