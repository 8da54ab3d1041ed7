import PonosCore
import PonosStore

/// Takes in submissions of streams. Their outcomes wait for the aggregator's acknowledgement, not for a caller.
package struct StreamIntake: Sendable {
  let admission: Admission
  private let answers: StoredAnswers
  private let transmitter: ResultTransmitter

  package init(admission: Admission, answers: StoredAnswers, transmitter: ResultTransmitter) {
    self.admission = admission
    self.answers = answers
    self.transmitter = transmitter
  }

  /// Takes in a submission. When it returns, the disk has the task, and has that its outcome waits for the aggregator. Returns
  /// where the task stands; a finished one was submitted before.
  package func receive(_ submission: TaskSubmission) async throws(Rejection) -> TaskStanding {
    let standing = try await admission.admit(
      submission, isStreamed: true,
      recall: { _ throws(Rejection) in
        let standing = try await expectDelivery(of: submission.id, to: submission.owner)
        // The store has forgotten the task.
        return standing == .unknown ? nil : standing
      },
      join: { task, isNew throws(Rejection) in
        // The delivery of a new task was written down together with the task.
        isNew && task.isStreamed ? .unfinished : try await join(task)
      })
    admission.callerLeft(submission.operatorSet.avs)
    return standing
  }

  /// Makes the outcome of a task that came by another call, or was submitted before, wait for its aggregator.
  private func join(_ task: InFlightTask) async throws(Rejection) -> TaskStanding {
    switch await task.written() {
    case .ended(.refused(let rejection)), .ended(.interrupted(let rejection)): throw rejection
    case .cancelled: throw .callerCancelled
    case .ended(.signed), .ended(.failed), .onDisk: break
    }
    let standing = try await expectDelivery(of: task.id, to: task.owner)
    // If the task has its outcome by now, the standing says so, or the session finds it at its next look into the store.
    if standing == .unfinished { task.markStreamed() }
    if standing == .unknown { throw .storeUnavailable("the task was given up while it was submitted again") }
    return standing
  }

  private func expectDelivery(of id: TaskID, to owner: TaskOwner) async throws(Rejection) -> TaskStanding {
    do throws(StoreError) { return try await transmitter.expect(id, by: owner) } catch {
      throw answers.refusal(of: id, because: error)
    }
  }
}
