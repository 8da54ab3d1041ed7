import NIOCore

/// Runs tasks on one event loop, so that a call and its connection share a thread.
final class EventLoopTaskExecutor: TaskExecutor {
  let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute {
      job.runSynchronously(on: self.asUnownedTaskExecutor())
    }
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
