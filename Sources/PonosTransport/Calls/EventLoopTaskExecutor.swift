import NIOCore
import Synchronization

/// Runs tasks on one event loop, so that a call and its connection share a thread.
///
/// Jobs wait in a line of the executor's own, and one closure on the loop runs all that are in it: a job by itself costs neither a
/// closure nor a turn of the loop.
final class EventLoopTaskExecutor: TaskExecutor {
  /// The jobs that wait to be run.
  private struct Line {
    var jobs: [UnownedJob] = []
    /// Whether the loop has been asked to run them.
    var isScheduled = false
  }

  /// Jobs make further jobs; after so many generations of them the loop's other business comes first.
  private static let maxGenerations = 16

  let eventLoop: any EventLoop
  private let line = Mutex(Line())

  init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let mustSchedule = line.withLock { line in
      line.jobs.append(job)
      defer { line.isScheduled = true }
      return !line.isScheduled
    }
    if mustSchedule { schedule() }
  }

  private func schedule() {
    eventLoop.execute { self.runJobs() }
  }

  private func runJobs() {
    var jobs: [UnownedJob] = []
    for _ in 0..<Self.maxGenerations {
      let isEmpty = line.withLock { line in
        line.isScheduled = !line.jobs.isEmpty
        swap(&jobs, &line.jobs)
        return jobs.isEmpty
      }
      if isEmpty { return }
      for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
      jobs.removeAll(keepingCapacity: true)
    }
    schedule()
  }
}

/// One executor for each loop of a group.
struct EventLoopTaskExecutors: Sendable {
  private let byLoop: [ObjectIdentifier: EventLoopTaskExecutor]

  init(_ group: any EventLoopGroup) {
    var byLoop: [ObjectIdentifier: EventLoopTaskExecutor] = [:]
    for loop in group.makeIterator() { byLoop[ObjectIdentifier(loop)] = EventLoopTaskExecutor(loop) }
    self.byLoop = byLoop
  }

  /// The executor of a loop of the group.
  func executor(for loop: any EventLoop) -> EventLoopTaskExecutor {
    byLoop[ObjectIdentifier(loop)] ?? EventLoopTaskExecutor(loop)
  }
}
