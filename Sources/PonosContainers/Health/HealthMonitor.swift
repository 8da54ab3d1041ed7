import PonosCore

/// Asks a performer after its health: often while it comes up, at intervals while it serves.
struct HealthMonitor: Sendable {
  let settings: ProbeSettings

  /// Probes until the performer serves, and returns the connection over which it said so. nil when it did not within the startup
  /// limit, with the last answer in `lastReport`.
  func untilServing(
    connect: @Sendable () throws -> any PerformerConnection
  ) async -> (connection: (any PerformerConnection)?, lastReport: String) {
    let deadline = ContinuousClock.now + settings.startupLimit
    var pause = settings.startupInterval.lowerBound
    var connection: (any PerformerConnection)?
    var lastReport = "it was not asked"
    while !Task.isCancelled, ContinuousClock.now < deadline {
      do {
        let current = try connection ?? connect()
        connection = current
        switch await current.checkHealth(timeout: settings.timeout) {
        case .serving: return (current, "it serves")
        case .notServing(let report): lastReport = report
        case .unreachable(let report), .timedOut(let report):
          lastReport = report
          // A connection that was refused waits before it tries again, longer than we do.
          await current.close()
          connection = nil
        }
      } catch {
        lastReport = "\(error)"
      }
      try? await Task.sleep(for: pause)
      pause = min(pause * 5 / 4, settings.startupInterval.upperBound)
    }
    await connection?.close()
    return (nil, lastReport)
  }

  /// Probes once an interval and reports each answer, until cancelled.
  ///
  /// A probe that times out while the performer works on tasks, and has answered one since the probe before, is not reported: it
  /// is busy, not dead. A performer that answers nothing at all for an interval gets no such credit.
  func watch(_ connection: CountingConnection, report: @Sendable (HealthReport) -> Void) async {
    var repliesBefore = connection.activity.replies
    while !Task.isCancelled {
      try? await Task.sleep(for: settings.interval)
      if Task.isCancelled { return }
      let wasWorking = connection.activity.isWorking
      let health = await connection.checkHealth(timeout: settings.timeout)
      // A late answer about a container that has been given up would be taken for one about its successor.
      if Task.isCancelled { return }
      let activity = connection.activity
      let isBusy = (wasWorking || activity.isWorking) && activity.replies > repliesBefore
      repliesBefore = activity.replies
      if case .timedOut = health, isBusy { continue }
      report(health)
    }
  }
}
