import PonosCore
import ServiceLifecycle

/// Gives waiting tasks to free slots and runs each to its end.
///
/// On graceful shutdown it starts no further run and waits for those that are out; what is still waiting stays in the journal.
package struct TaskService: Service {
  private let queue: TaskQueue
  private let roster: PerformerRoster
  private let pipeline: TaskPipeline
  private let retries: RetryPolicy
  private let clock: TaskClock

  package init(
    queue: TaskQueue, roster: PerformerRoster, pipeline: TaskPipeline, retries: RetryPolicy = RetryPolicy(), clock: TaskClock
  ) {
    self.queue = queue
    self.roster = roster
    self.pipeline = pipeline
    self.retries = retries
    self.clock = clock
  }

  package func run() async throws {
    await withGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        group.addTask { await expireWaitingTasks() }
        for await _ in queue.wakeups {
          for result in queue.takeCollected() { group.addTask { await pipeline.complete(result) } }
          for task in queue.takeDisplaced() { group.addTask { await pipeline.fail(task, with: .displaced(queue.overflow)) } }
          while let task = queue.next(acquire: slot(for:)) {
            group.addTask { await pipeline.run(task) }
          }
        }
      }
    } onGracefulShutdown: {
      queue.finish()
    }
  }

  /// A slot for the task's next run; the whole performer for a task that may be what crashes it.
  private func slot(for task: AcceptedTask) -> PerformerRoster.Lease? {
    roster.acquire(task.avs) { present in
      retries.mustRunAlone(lostContainers: task.lostContainers(present: present))
    }
  }

  /// Answers tasks whose time ended in the queue, and lets performers be tried again whose breakers have been open for long
  /// enough.
  private func expireWaitingTasks() async {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        // Together, so that they share commits.
        await withDiscardingTaskGroup { group in
          for task in queue.removeExpired(now: clock.monotonic()) {
            group.addTask { await pipeline.fail(task, with: task.outOfTime) }
          }
        }
        roster.offerProbes()
        do { try await clock.sleep(.milliseconds(100)) } catch { return }
      }
    }
  }
}
