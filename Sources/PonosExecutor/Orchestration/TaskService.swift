import PonosContainers
import PonosCore
import PonosSystem
import ServiceLifecycle

/// Gives waiting tasks to free slots and runs each to its end.
///
/// On graceful shutdown it starts no further run and waits for the runs in progress. Tasks that wait stay in the journal.
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
        // Before any run begins: the time of tasks that a restart brought back may be over.
        let late = queue.removeExpired(now: clock.monotonic())
        group.addTask { await endExpiredTasks(beginningWith: late) }
        group.addTask { await offerProbes() }
        for await _ in queue.wakeups {
          for output in queue.takeCollected() {
            group.addTask { await pipeline.complete(ResponseCollector.restore(output)) }
          }
          for task in queue.takeDisplaced() { group.addTask { await pipeline.end(task, .displaced(queue.overflow)) } }
          while let task = queue.next(acquire: slot(for:)) {
            group.addTask { await pipeline.run(task) }
          }
        }
      }
    } onGracefulShutdown: {
      queue.finish()
    }
  }

  /// A slot for the task's next run. A task suspected of crashing its performer gets the whole performer.
  private func slot(for task: AcceptedTask) -> PerformerRoster.Lease? {
    roster.acquire(task.avs) { present in
      retries.mustRunAlone(lostContainers: task.lostContainers(present: present))
    }
  }

  /// Ends written at the same time: enough to share commits, few enough to leave room in the store's queue for other writes.
  private static let endsAtATime = 256
  /// Time between two looks at the clock.
  private static let tick = Duration.milliseconds(100)

  /// Ends tasks whose time is over before they left the queue.
  private func endExpiredTasks(beginningWith late: [AcceptedTask]) async {
    await cancelWhenGracefulShutdown {
      var expired = late
      while true {
        await end(expired)
        do { try await clock.sleep(Self.tick) } catch { return }
        expired = queue.removeExpired(now: clock.monotonic())
      }
    }
  }

  private func end(_ expired: [AcceptedTask]) async {
    await withTaskGroup(of: Void.self) { group in
      for (index, task) in expired.enumerated() {
        if index >= Self.endsAtATime { await group.next() }
        group.addTask { await pipeline.end(task, task.outOfTime) }
      }
    }
  }

  /// Lets performers be tried again once their breakers have been open for long enough.
  private func offerProbes() async {
    await cancelWhenGracefulShutdown {
      while true {
        roster.offerProbes()
        do { try await clock.sleep(Self.tick) } catch { return }
      }
    }
  }
}
