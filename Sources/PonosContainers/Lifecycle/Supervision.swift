import Logging

/// What the supervisors of all performers work with.
struct Supervision: Sendable {
  let launcher: PerformerLauncher
  let retirement: PerformerRetirement
  let roster: PerformerRoster
  let statuses: PerformerStatusTable
  let supervisors: SupervisorRegistry
  let settings: PerformerSettings
  let observe: @Sendable (PerformerEvent) -> Void
  let logger: Logger
}
