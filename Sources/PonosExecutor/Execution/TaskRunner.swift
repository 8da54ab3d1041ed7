import PonosContainers
import PonosCore
import PonosSystem

/// Takes an assigned task to its performer and brings the reply back, within the task's time.
package struct TaskRunner: Sendable {
  private let clock: TaskClock

  package init(clock: TaskClock) {
    self.clock = clock
  }

  package func run(_ task: AssignedTask) async throws(TaskFailure) -> PerformerReply {
    let remaining = task.accepted.deadline - clock.monotonic()
    guard remaining > 0 else { throw .expired }
    let submission = task.accepted.task.submission
    do throws(PerformerCallError) {
      return try await task.lease.entry.connection.execute(
        submission.id, payload: submission.payload, timeout: .milliseconds(remaining))
    } catch {
      throw Self.failure(for: error)
    }
  }

  private static func failure(for error: PerformerCallError) -> TaskFailure {
    switch error {
    case .unreachable(let problem): .performerUnreachable(problem)
    case .timedOut: .timedOut
    case .answeredError(let code, let message): .performerError(code: code, message: message)
    case .answeredBusy(let problem, let pause): .performerBusy(problem, retryAfter: pause)
    case .replyTooLarge: .outputTooLarge(limit: ResponseChecks.maxOutputBytes)
    case .cancelled: .performerUnreachable("the executor is stopping")
    }
  }
}
