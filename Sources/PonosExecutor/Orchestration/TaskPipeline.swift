import PonosContainers
import PonosCore
import PonosSystem

/// The whole workflow of an accepted task, on one screen.
///
/// A stage is a plain function that takes the proof of the stage before and makes its own, so it can be wrapped or replaced by
/// assignment.
package struct TaskPipeline: Sendable {
  package var begin: @Sendable (AssignedTask) throws(TaskFailure) -> Void
  package var execute: @Sendable (AssignedTask) async throws(TaskFailure) -> PerformerReply
  package var collect: @Sendable (AssignedTask, PerformerReply) throws(TaskFailure) -> CollectedResult
  package var sign: @Sendable (CollectedResult) async throws(TaskFailure) -> SignedResult
  package var deliver: @Sendable (AcceptedTask, SignedResult) async throws(TaskFailure) -> Void
  /// Gives the slot back, with the verdict of the run about the performer.
  package var release: @Sendable (AssignedTask, RunOutcome) -> Void
  /// Follows a failed run with another one later, or with the end. The task can still be cancelled when this is called.
  package var recover: @Sendable (AcceptedTask, TaskFailure) async -> Void
  /// Ends a task that no run can save or that must not run again. If that cannot be written down, it waits for the next start.
  package var end: @Sendable (AcceptedTask, TaskFailure) async -> Void
  /// The runs that may be cancelled.
  package let running: RunningTasks

  /// Runs an assigned task once, to a delivered result or a recovered failure.
  package func run(_ task: AssignedTask) async {
    let result: CollectedResult
    do throws(TaskFailure) { result = try await attempt(task) } catch { return await recover(task.accepted, error) }
    await complete(result)
  }

  /// Signs and delivers an output. Its digest may be on disk by the time something fails, so the task does not run again.
  package func complete(_ result: CollectedResult) async {
    do throws(TaskFailure) { try await deliver(result.accepted, try await sign(result)) } catch {
      await end(result.accepted, error)
    }
  }

  private func attempt(_ task: AssignedTask) async throws(TaskFailure) -> CollectedResult {
    var outcome = RunOutcome.unjudged
    defer { release(task, outcome) }
    let run = running.open(task.accepted)
    var start = ContinuousClock.now
    do throws(TaskFailure) {
      try begin(task)
      start = ContinuousClock.now
      let reply = try await run.call { () async throws(TaskFailure) in try await execute(task) }
      let result = try collect(task, reply)
      outcome = .answered
      if running.close(task.id) { throw .cancelled }
      return result
    } catch {
      if run.isCancelled { throw .cancelled }
      // A run that we broke off says nothing about the performer.
      if !Task.isCancelled { outcome = RunOutcome(error, after: ContinuousClock.now - start) }
      throw error
    }
  }
}

extension TaskPipeline {
  /// The stages as the daemon runs them.
  ///
  /// - Parameter rules: The rules for outputs of an AVS.
  package init(
    journal: TaskJournal, roster: PerformerRoster, runner: TaskRunner, signing: SigningService, outbox: ResultOutbox,
    recovery: RunRecovery, retries: RetryPolicy = RetryPolicy(), running: RunningTasks, metrics: ExecutorMetrics,
    clock: TaskClock,
    rules: @escaping @Sendable (EthereumAddress) -> ResponseRules = { _ in .none }
  ) {
    self.init(
      begin: { task throws(TaskFailure) in
        let lost = task.accepted.lostContainers
        if retries.isAtFault(lostContainers: lost) { throw .performerCrashed(containers: lost) }
        metrics.queueWait(task.accepted.avs, seconds: task.accepted.age(at: clock.monotonic()).seconds)
        journal.begin(task.id, performerID: task.lease.entry.performerID, attempt: task.accepted.attempt) {
          recovery.beginningNotWritten(of: task.accepted, $0)
        }
      },
      execute: { task throws(TaskFailure) in
        let start = ContinuousClock.now
        do throws(TaskFailure) {
          let reply = try await runner.run(task)
          metrics.taskExecuted(task.accepted.avs, seconds: (ContinuousClock.now - start).seconds)
          return reply
        } catch {
          // A call that we ended says nothing about the container.
          if case .performerUnreachable = error, !Task.isCancelled { roster.suspect(task.lease) }
          throw error
        }
      },
      collect: { task, reply throws(TaskFailure) in
        try ResponseCollector.collect(task, reply, rules: rules(task.accepted.avs))
      },
      sign: { result throws(TaskFailure) in try await signing.sign(result) },
      deliver: { task, result throws(TaskFailure) in try await outbox.deliver(result, of: task) },
      release: { roster.release($0.lease, after: $1) },
      recover: { await recovery.recover($0, from: $1) },
      end: { await recovery.end($0, with: $1) }, running: running)
  }
}
