import PonosCore
import ServiceLifecycle

/// Closes intake in two steps at shutdown: no new submissions at once, and callers that still wait are sent away after a while.
package struct TaskIntakeService: Service {
  private let receiver: TaskReceiver
  private let drainLimit: Duration

  package init(receiver: TaskReceiver, drainLimit: Duration) {
    self.receiver = receiver
    self.drainLimit = drainLimit
  }

  package func run() async throws {
    receiver.open()
    // Cancellation ends the wait too: then the daemon stops at once, and intake has to close all the same.
    try? await gracefulShutdown()
    receiver.close(because: "stopping")
    let deadline = ContinuousClock.now + drainLimit
    while receiver.hasWaitingCallers, ContinuousClock.now < deadline, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(20))
    }
    receiver.interruptWaitingCallers()
  }
}
