/// What a performer is doing, as operators see it.
package enum PerformerState: String, Sendable, Hashable, Codable, CaseIterable {
  /// Wanted, and nothing done for it yet.
  case initializing = "Initializing"
  /// Its image is being brought from the registry.
  case pulling = "Pulling"
  /// Its container was created and does not serve yet.
  case starting = "Starting"
  /// It serves and has no task.
  case running = "Running"
  /// It serves and has at least one task.
  case executing = "Executing"
  /// It gets no more tasks; its container is on its way out.
  case stopping = "Stopping"
  /// Its container is gone, as was asked for.
  case stopped = "Stopped"
  /// It does not serve: a deployment that came to nothing, or a performer whose container keeps failing. The latter is still
  /// re-created, at the longest delay.
  case failed = "Failed"
  /// Its container failed and is about to be replaced.
  case restarting = "Restarting"
}
