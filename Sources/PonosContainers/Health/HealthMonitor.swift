import PonosCore

/// Probes a performer that serves, at intervals.
struct HealthMonitor: Sendable {
  let settings: ProbeSettings

  /// Probes once an interval and reports each result, until cancelled.
  ///
  /// A probe that times out while the performer works on tasks, and has answered one since the probe before, is not reported: the
  /// performer is busy, not dead. A performer that answers nothing at all for an interval gets no such credit.
  ///
  /// - Parameter activity: What the performer is doing now.
  func watch(_ probe: any Probe, activity: @Sendable () -> TaskActivity, report: @Sendable (ProbeResult) -> Void) async {
    var repliesBefore = activity().replies
    while !Task.isCancelled {
      try? await Task.sleep(for: settings.interval)
      if Task.isCancelled { return }
      let wasWorking = activity().isWorking
      let result = await probe.check(timeout: settings.timeout)
      // A late answer about a container that has been given up would be taken for one about its successor.
      if Task.isCancelled { return }
      let now = activity()
      let isBusy = (wasWorking || now.isWorking) && now.replies > repliesBefore
      repliesBefore = now.replies
      if case .timedOut = result, isBusy { continue }
      report(result)
    }
  }
}
