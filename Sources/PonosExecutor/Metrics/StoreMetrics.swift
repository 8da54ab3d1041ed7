import PonosTelemetry

/// The metrics of the store.
struct StoreMetrics: Sendable {
  let commitSeconds: PrometheusHistogram
  let commitWrites: PrometheusHistogram
  let commitFailures: PrometheusCounter
  let checkpointFailures: PrometheusCounter
  let damagedRecords: PrometheusFamily<PrometheusCounter>
  let isIntact: PrometheusGauge
  let lastBackup: PrometheusGauge
  let backupFailures: PrometheusCounter

  init(_ registry: PrometheusRegistry) {
    let seconds = registry.histogram(
      "ponos_store_commit_seconds", help: "Time of a commit of the store, fsync included.",
      bounds: PrometheusHistogram.fineSeconds)
    commitSeconds = seconds.with()
    let writes = registry.histogram(
      "ponos_store_commit_writes", help: "Writes that shared a commit.", bounds: PrometheusHistogram.powersOfTwo)
    commitWrites = writes.with()
    commitFailures = registry.counter("ponos_store_commit_failures_total", help: "Commits of the store that failed.").with()
    let checkpoints = registry.counter(
      "ponos_store_checkpoint_failures_total", help: "Times the write-ahead log could not be moved into the database file.")
    checkpointFailures = checkpoints.with()
    damagedRecords = registry.counter(
      "ponos_store_damaged_records_total", help: "Records found damaged when they were needed, by what became of them.",
      labels: ["outcome"])
    isIntact = registry.gauge("ponos_store_intact", help: "1, or 0 after a check that found damage.").with()
    isIntact.set(1)
    let backup = registry.gauge(
      "ponos_store_last_backup_timestamp_seconds",
      help: "End of the last scheduled backup in seconds since 1970, 0 before the first.")
    lastBackup = backup.with()
    backupFailures = registry.counter("ponos_store_backup_failures_total", help: "Scheduled backups that failed.").with()
  }
}
