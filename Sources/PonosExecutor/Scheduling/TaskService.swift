import Logging
import PonosCore
import ServiceLifecycle

/// Gives waiting tasks to free slots and runs each to its end.
///
/// On graceful shutdown it starts no further run and waits for those that are out; what is still waiting stays in the journal.
package struct TaskService: Service {
  private let queue: TaskQueue
  private let roster: PerformerRoster
  private let pipeline: TaskPipeline
  private let clock: TaskClock

  package init(queue: TaskQueue, roster: PerformerRoster, pipeline: TaskPipeline, clock: TaskClock) {
    self.queue = queue
    self.roster = roster
    self.pipeline = pipeline
    self.clock = clock
  }

  package func run() async throws {
    await withGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        group.addTask { await expireWaitingTasks() }
        for await _ in queue.wakeups {
          while let task = queue.next(acquire: roster.acquire) {
            group.addTask { await pipeline.run(task) }
          }
        }
      }
    } onGracefulShutdown: {
      queue.stop()
    }
  }

  /// Answers tasks whose time ended in the queue.
  private func expireWaitingTasks() async {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        for task in queue.removeExpired(now: clock.monotonic()) {
          await pipeline.fail(task, with: task.outOfTime)
        }
        do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
      }
    }
  }
}
