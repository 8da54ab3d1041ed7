import Foundation
import PonosContainers
import PonosCore
import PonosCrypto
import PonosStore
import PonosTelemetry

/// What the daemon counts about its own work, as plain calls for those who do the work. `docs/metrics.md` describes every metric.
///
/// The label `avs` takes the addresses given at the start and "other"; a task id is never a label.
package final class ExecutorMetrics: Sendable {
  private let figures: [EthereumAddress: AVSMetrics]
  private let other: AVSMetrics
  private let refused: PrometheusFamily<PrometheusCounter>
  private let failed: PrometheusFamily<PrometheusCounter>
  private let deploymentsFailed: PrometheusFamily<PrometheusCounter>
  private let performerStates: PrometheusFamily<PrometheusGauge>
  private let dispatch: DispatchMetricFamilies
  private let signing: [SignatureCurve: PrometheusHistogram]
  private let batchSignatures: PrometheusHistogram
  private let badBatches: PrometheusCounter
  private let commitSeconds: PrometheusHistogram
  private let commitWrites: PrometheusHistogram
  private let commitFailures: PrometheusCounter
  private let checkpointFailures: PrometheusCounter
  private let damagedRecords: PrometheusFamily<PrometheusCounter>
  private let storeIntact: PrometheusGauge
  private let lastBackup: PrometheusGauge
  private let backupFailures: PrometheusCounter

  /// `avs` are the configured addresses; `started` is the start of the process for the uptime.
  package init(registry: PrometheusRegistry, avs: [EthereumAddress], version: String, started: Date = Date()) {
    let families = AVSMetricFamilies(registry)
    figures = Dictionary(avs.map { ($0, AVSMetrics(families, label: $0.description)) }, uniquingKeysWith: { first, _ in first })
    other = AVSMetrics(families, label: "other")
    refused = registry.counter(
      "ponos_tasks_refused_total", help: "Submissions refused, by code of the refusal.", labels: ["avs", "code"])
    failed = registry.counter(
      "ponos_tasks_failed_total", help: "Accepted tasks that ended without a result, by code of the failure.",
      labels: ["avs", "code"])
    deploymentsFailed = registry.counter(
      "ponos_deployments_failed_total", help: "Deployments that did not come into service, by code of the failure.",
      labels: ["avs", "code"])
    performerStates = registry.gauge(
      "ponos_performers", help: "Performers, by state of their lifecycle.", labels: ["avs", "state"])
    dispatch = DispatchMetricFamilies(registry)
    let signing = registry.histogram(
      "ponos_signing_seconds", help: "Time to sign a result and verify the signature.", labels: ["curve"],
      bounds: PrometheusHistogram.fineSeconds)
    self.signing = Dictionary(uniqueKeysWithValues: SignatureCurve.allCases.map { ($0, signing.with($0.rawValue)) })
    batchSignatures =
      registry.histogram(
        "ponos_bn254_batch_signatures", help: "BN254 signatures that were verified together, our own included.",
        bounds: PrometheusHistogram.powersOfTwo
      ).with()
    badBatches = registry.counter(
      "ponos_bn254_batches_bad_total", help: "Checks of BN254 signatures that found a bad one."
    ).with()
    commitSeconds =
      registry.histogram(
        "ponos_store_commit_seconds", help: "Time of a commit of the store, fsync included.",
        bounds: PrometheusHistogram.fineSeconds
      ).with()
    commitWrites =
      registry.histogram(
        "ponos_store_commit_writes", help: "Writes that shared a commit.", bounds: PrometheusHistogram.powersOfTwo
      ).with()
    commitFailures = registry.counter("ponos_store_commit_failures_total", help: "Commits of the store that failed.").with()
    checkpointFailures =
      registry.counter(
        "ponos_store_checkpoint_failures_total", help: "Times the write-ahead log could not be moved into the database file."
      ).with()
    damagedRecords = registry.counter(
      "ponos_store_damaged_records_total", help: "Records found damaged when they were needed, by what became of them.",
      labels: ["outcome"])
    storeIntact = registry.gauge("ponos_store_intact", help: "1, or 0 after a check that found damage.").with()
    storeIntact.set(1)
    lastBackup =
      registry.gauge(
        "ponos_store_last_backup_timestamp_seconds",
        help: "End of the last scheduled backup in seconds since 1970, 0 before the first."
      ).with()
    backupFailures = registry.counter("ponos_store_backup_failures_total", help: "Scheduled backups that failed.").with()
    registry.gauge("ponos_build_info", help: "1, with the version as a label.", labels: ["version"]).with(version).set(1)
    let uptime = registry.gauge("ponos_uptime_seconds", help: "Time since the daemon started.").with()
    registry.beforeScrape { uptime.set(Date().timeIntervalSince(started)) }
  }

  // MARK: Tasks

  /// A submission came in that could be decoded.
  package func taskReceived(_ avs: EthereumAddress) { figures(of: avs).received.increment() }

  /// A submission was refused; `avs` is nil when it does not name one.
  package func taskRefused(_ avs: EthereumAddress?, code: String) { refused.with(label(of: avs), code).increment() }

  /// A task was written down and answered for.
  package func taskAccepted(_ avs: EthereumAddress) { figures(of: avs).accepted.increment() }

  /// A finished task was submitted again, and known without the store.
  func taskAnsweredFromMemory(_ avs: EthereumAddress) { figures(of: avs).remembered.increment() }

  /// A run at a performer brought a reply after `seconds`.
  package func taskExecuted(_ avs: EthereumAddress, seconds: Double) {
    figures(of: avs).executed.increment()
    figures(of: avs).executionSeconds.observe(seconds)
  }

  /// A run did not finish and the task will run again.
  package func taskRetried(_ avs: EthereumAddress) { figures(of: avs).retried.increment() }

  /// An accepted task ended without a result.
  package func taskFailed(_ avs: EthereumAddress, code: String) { failed.with(label(of: avs), code).increment() }

  /// A result was signed and its signature verified within `seconds`.
  package func taskSigned(_ curve: SignatureCurve, seconds: Double) { signing[curve]?.observe(seconds) }

  /// BN254 signatures of one key were verified together.
  func signaturesChecked(_ report: SignatureVerifier.BatchReport) {
    batchSignatures.observe(Double(report.signatures))
    if !report.isGood { badBatches.increment() }
  }

  /// A signed result went out.
  package func taskAnswered(_ avs: EthereumAddress, secondsFromAcceptance: Double) {
    figures(of: avs).answerSeconds.observe(secondsFromAcceptance)
  }

  /// `depth` tasks wait.
  package func queueDepth(_ avs: EthereumAddress, _ depth: Int) { figures(of: avs).queueDepth.set(Double(depth)) }

  /// A task left the queue after `seconds`.
  package func queueWait(_ avs: EthereumAddress, seconds: Double) { figures(of: avs).queueSeconds.observe(seconds) }

  /// Something happened in the queue.
  func queue(_ event: QueueEvent) {
    switch event {
    case .overflow(let avs, let policy, let bound):
      dispatch.overflow.with(label(of: avs), policy.rawValue, bound.rawValue).increment()
    case .expired(let avs): dispatch.expired.with(label(of: avs)).increment()
    }
  }

  // MARK: Performers

  /// A performer's circuit breaker has opened.
  func breakerOpened(_ avs: EthereumAddress) { dispatch.breakersOpened.with(label(of: avs)).increment() }

  /// Sets every performer gauge to what `all` say; performers not among them are gone.
  package func performers(_ all: [PerformerObservation]) {
    let byAVS = Dictionary(grouping: all) { label(of: $0.avs) }
    for avs in Array(figures.values) + [other] {
      let observations = byAVS[avs.label] ?? []
      // Each series is set once: a scrape at the same moment sees the old figure or the new one.
      for state in PerformerState.allCases {
        performerStates.with(avs.label, state.rawValue.lowercased()).set(Double(observations.count { $0.state == state }))
      }
      for state in CircuitBreaker.State.allCases {
        dispatch.breakers.with(avs.label, state.rawValue).set(Double(observations.count { $0.breaker == state }))
      }
      avs.containersRunning.set(Double(observations.count { $0.isRunning }))
      avs.slots.set(Double(observations.reduce(0) { $0 + $1.capacity }))
      avs.slotsInUse.set(Double(observations.reduce(0) { $0 + $1.outstanding }))
    }
  }

  /// A performer came into service, `seconds` after it was asked for.
  package func deployed(_ avs: EthereumAddress, seconds: Double) { figures(of: avs).deploymentSeconds.observe(seconds) }

  /// A deployment did not come into service.
  package func deploymentFailed(_ avs: EthereumAddress, code: String) {
    deploymentsFailed.with(label(of: avs), code).increment()
  }

  /// An image was brought from its registry.
  package func imagePulled(_ avs: EthereumAddress, seconds: Double) { figures(of: avs).imagePullSeconds.observe(seconds) }

  /// A process in a container was killed for exceeding the memory limit.
  package func containerOutOfMemory(_ avs: EthereumAddress) { figures(of: avs).outOfMemory.increment() }

  /// A container was made again for a performer.
  package func containerRestarted(_ avs: EthereumAddress) { figures(of: avs).restarts.increment() }

  /// Tasks in a row got no answer from a performer, which is replaced for it.
  package func performerHung(_ avs: EthereumAddress) { figures(of: avs).hangs.increment() }

  /// A health probe did not find the performer serving.
  package func healthCheckFailed(_ avs: EthereumAddress) { figures(of: avs).healthFailures.increment() }

  /// Adds what the running containers used since the last time, and sets what memory they use now.
  func containerUsage(_ all: [ContainerUsageObservation]) {
    let byLabel = Dictionary(grouping: all) { label(of: $0.avs) }
    for avs in Array(figures.values) + [other] {
      let observations = byLabel[avs.label] ?? []
      avs.containerCPU.increment(by: observations.reduce(0) { $0 + $1.cpuSecondsSinceLast })
      avs.containerMemory.set(Double(observations.reduce(0) { $0 + $1.memoryBytes }))
    }
  }

  // MARK: The store

  package func storeCommit(_ report: CommitReport) {
    if report.isFailure { commitFailures.increment() }
    commitWrites.observe(Double(report.writes))
    commitSeconds.observe(report.duration / .seconds(1))
  }

  /// The write-ahead log could not be moved into the database file.
  package func storeCheckpointFailed() { checkpointFailures.increment() }

  /// A record was not what was written, and was made again or is not answered with.
  package func storeRecordDamaged(isRepaired: Bool) {
    damagedRecords.with(isRepaired ? "repaired" : "refused").increment()
  }

  /// Something happened to the store beside its commits.
  package func store(_ event: StoreEvent) {
    switch event {
    case .checked(let isIntact): storeIntact.set(isIntact ? 1 : 0)
    case .backedUp(let time): lastBackup.set(time.timeIntervalSince1970)
    case .backupFailed: backupFailures.increment()
    }
  }

  // MARK: Totals

  /// Tasks by outcome since the start; the caller knows how many wait and run.
  package func taskCounts(waiting: Int, executing: Int) -> TaskCounts {
    let everyAVS = Array(figures.values) + [other]
    return TaskCounts(
      received: Self.sum(everyAVS.map(\.received)), refused: Self.sum(refused.all), accepted: Self.sum(everyAVS.map(\.accepted)),
      signed: signing.values.reduce(0) { $0 + $1.count }, failed: Self.sum(failed.all), waiting: waiting, executing: executing)
  }

  private static func sum(_ counters: [PrometheusCounter]) -> Int { Int(counters.reduce(0) { $0 + $1.value }) }

  private func figures(of avs: EthereumAddress) -> AVSMetrics { figures[avs] ?? other }

  private func label(of avs: EthereumAddress?) -> String { avs.flatMap { figures[$0] }?.label ?? other.label }
}

/// What the performer gauges need to know of one performer.
package struct PerformerObservation: Sendable, Equatable {
  package var avs: EthereumAddress
  package var state: PerformerState
  /// Whether its container runs.
  package var isRunning: Bool
  /// Tasks it can be given at a time.
  package var capacity: Int
  /// Tasks it has.
  package var outstanding: Int
  /// nil while it does not serve.
  package var breaker: CircuitBreaker.State?

  package init(
    avs: EthereumAddress, state: PerformerState, isRunning: Bool, capacity: Int, outstanding: Int,
    breaker: CircuitBreaker.State? = nil
  ) {
    self.avs = avs
    self.state = state
    self.isRunning = isRunning
    self.capacity = capacity
    self.outstanding = outstanding
    self.breaker = breaker
  }
}
