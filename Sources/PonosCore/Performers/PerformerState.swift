/// What a performer is doing, as operators see it.
///
/// `PerformerStateMachine` makes every transition but those between `running` and `executing`, which are the roster's.
package enum PerformerState: String, Sendable, Hashable, Codable, CaseIterable {
  /// Wanted, and nothing done for it yet. Can transition to `pulling`, `starting`, `failed` and `stopping`.
  case initializing = "Initializing"
  /// Its image is being brought from the registry. Can transition to `starting`, `failed` and `stopping`.
  case pulling = "Pulling"
  /// Its container is being created, or does not serve yet. Can transition to `running`, `restarting` (a performer in service),
  /// `failed` and `stopping`.
  case starting = "Starting"
  /// It serves and has no task. Can transition to `executing`, `restarting`, `failed` and `stopping`.
  case running = "Running"
  /// It serves and has at least one task. Can transition as `running` can, and to `running`.
  case executing = "Executing"
  /// It gets no more tasks; its container is on its way out. Can transition to `stopped`.
  case stopping = "Stopping"
  /// Its container is gone, as was asked for. Final.
  case stopped = "Stopped"
  /// It does not serve: a deployment that came to nothing, or a performer whose container keeps failing. The latter is still
  /// re-created, at the longest delay. Can transition to `running` and `stopping`.
  case failed = "Failed"
  /// Its container failed and is about to be replaced. Can transition to `running`, `failed` (after too many attempts in a row)
  /// and `stopping`.
  case restarting = "Restarting"
}
