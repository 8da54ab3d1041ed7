import PonosAPI
import PonosCore
import PonosStore

/// How a task ended, as a stream carries it.
package enum StreamAnswer: Sendable, Equatable {
  case result(Eigenlayer_Hourglass_V1_TaskResult)
  case failure(StoredFailure)
}

extension StreamAnswer {
  /// nil for an outcome that is not final: a refusal or an interruption.
  init?(_ outcome: TaskOutcome) {
    switch outcome {
    case .signed(let result): self = .result(result.wire)
    case .failed(let failure): self = .failure(failure)
    case .refused, .interrupted: return nil
    }
  }

  /// Reads the row of a finished task; nil while it is unfinished, or when its outcome is damaged.
  init?(stored record: TaskRecord) {
    if let result = SignedResult(stored: record) {
      self = .result(result.wire)
    } else if record.damage == nil, let failure = record.failure {
      self = .failure(failure)
    } else {
      return nil
    }
  }

  /// About the bytes that the answer takes.
  var byteCount: Int {
    switch self {
    case .result(let result): 512 + result.output.count
    case .failure(let failure): 256 + failure.message.utf8.count
    }
  }
}
