import Logging
import PonosAPI
import PonosCore
import PonosStore
import PonosTelemetry
import SwiftProtobuf

/// Answers from the rows of finished tasks: with the bytes that were written, or not at all.
package struct StoredAnswers: Sendable {
  private let journal: TaskJournal
  private let signing: SigningService
  private let metrics: ExecutorMetrics
  private let logger: Logger

  package init(journal: TaskJournal, signing: SigningService, metrics: ExecutorMetrics, logger: Logger) {
    self.journal = journal
    self.signing = signing
    self.metrics = metrics
    self.logger = logger
  }

  /// How a finished task ended; nil while it is unfinished. `task` is the submission that asks; its content is that of the row.
  ///
  /// A damaged result is made again if its output is intact, which the digest recorded for the task tells. Throws
  /// `.storedRecordDamaged` otherwise.
  func outcome(of task: ValidatedTask, from record: TaskRecord) async throws(Rejection) -> TaskOutcome? {
    switch record.phase {
    case .queued, .executing, .collected:
      return nil
    case .signed:
      if let result = SignedResult(stored: record) { return .signed(result) }
      return .signed(try await resultMadeAgain(of: task, from: record))
    case .failed:
      guard record.damage == nil, let failure = record.failure else {
        throw damaged(record.id, "the failure stored of it is not what was written")
      }
      return .failed(failure)
    }
  }

  /// The refusal for a caller whose task the store cannot read or write.
  func refusal(of id: TaskID, because error: StoreError) -> Rejection {
    switch error.code {
    case .damaged: damaged(id, error.message)
    case .overloaded: .storeOverloaded(error.description)
    default: .storeUnavailable(error.description)
    }
  }

  private func resultMadeAgain(of task: ValidatedTask, from record: TaskRecord) async throws(Rejection) -> SignedResult {
    guard let bytes = record.result, let wire = try? Eigenlayer_Hourglass_V1_TaskResult(serializedBytes: bytes) else {
      throw damaged(record.id, "the result stored of it cannot be read")
    }
    let result: SignedResult
    do {
      guard let recorded = try await journal.signedDigest(of: record.id) else {
        throw damaged(record.id, "the result stored of it is not what was written, and no digest is recorded for it")
      }
      result = try await signing.signAgain(
        Array(wire.output), of: task, recorded: recorded)
      try await journal.restore(result)
    } catch let rejection as Rejection {
      throw rejection
    } catch let error as StoreError {
      throw refusal(of: record.id, because: error)
    } catch {
      throw damaged(record.id, "the result stored of it is not what was written, and cannot be made again: \(error)")
    }
    metrics.storeRecordDamaged(isRepaired: true)
    logger.warning(
      "the stored result of a task was damaged; it was signed again from its output, whose digest is recorded",
      metadata: [LogKey.taskID: "\(record.id)", LogKey.code: "\(StoreError.Code.damaged.rawValue)"])
    return result
  }

  private func damaged(_ id: TaskID, _ problem: String) -> Rejection {
    metrics.storeRecordDamaged(isRepaired: false)
    logger.error(
      "a stored task is damaged and is not answered; check the disk and restore a backup",
      metadata: [
        LogKey.taskID: "\(id)", LogKey.code: "\(StoreError.Code.damaged.rawValue)", LogKey.error: "\(problem)",
      ])
    return .storedRecordDamaged(id)
  }
}
