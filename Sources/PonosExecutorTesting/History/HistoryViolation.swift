import PonosCore

/// A way in which a history breaks the promise.
package enum HistoryViolation: Hashable, Sendable {
  /// A client asked until the end and never got an answer.
  case unanswered(TaskID)
  /// Two clients, or one twice, got different answers to one task.
  case differentAnswers(TaskID)
  /// Two digests were signed or recorded for one task.
  case differentDigests(TaskID)
  /// A signed answer whose digest is not the one recorded at the end.
  case signedWithoutRecord(TaskID)
  /// The database knew the task, or a client had its answer or a receipt for it, and later the database knew nothing of it.
  case lost(TaskID)
  /// The database says that the task had ended, and later that it had not, or had ended otherwise.
  case undone(TaskID)
  /// The task is not finished at the end.
  case unfinished(TaskID)
  /// The task should have ended otherwise.
  case unexpectedEnd(TaskID, TaskHistory.Answer)
  /// A legitimate task was refused for good.
  case refused(TaskID, code: String)
  /// An answer that no aggregator would count.
  case worthless(TaskID, problem: String)
  /// The task was given to its performer more often than lost runs explain.
  case ranTooOften(TaskID, runs: Int, explained: Int)
  /// So many tasks of other AVSs were answered in a row while one of this AVS waited.
  case starved(EthereumAddress, answersOfOthers: Int)
}

extension HistoryViolation: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unanswered(let id): "\(id) was never answered"
    case .differentAnswers(let id): "\(id) was answered in two ways"
    case .differentDigests(let id): "\(id) has two digests"
    case .signedWithoutRecord(let id): "\(id) was signed, and its digest is not the one recorded"
    case .lost(let id): "\(id) was accepted, and the database does not know it any more"
    case .undone(let id): "\(id) had ended, and did not stay as it was"
    case .unfinished(let id): "\(id) is not finished at the end"
    case .unexpectedEnd(let id, .failed(let code, let message)): "\(id) failed with \(code): \(message)"
    case .unexpectedEnd(let id, .signed): "\(id) was signed and should have failed"
    case .refused(let id, let code): "\(id) was refused with \(code)"
    case .worthless(let id, let problem): "the answer to \(id) is worthless: \(problem)"
    case .ranTooOften(let id, let runs, let explained): "\(id) was run \(runs) times, of which \(explained) are explained"
    case .starved(let avs, let count): "\(avs) waited while \(count) tasks of others were answered"
    }
  }
}
