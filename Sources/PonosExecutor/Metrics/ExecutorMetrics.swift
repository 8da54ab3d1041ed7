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
  private let byAVS: [EthereumAddress: AVSMetrics]
  private let other: AVSMetrics
  private let outcomes: OutcomeMetricFamilies
  private let dispatch: DispatchMetricFamilies
  private let signing: SigningMetrics
  private let store: StoreMetrics

  /// `avs` are the configured addresses; `started` is the start of the process for the uptime.
  package init(registry: PrometheusRegistry, avs: [EthereumAddress], version: String, started: Date = Date()) {
    byAVS = Dictionary(
      avs.map { ($0, AVSMetrics(registry, label: $0.description)) }, uniquingKeysWith: { first, _ in first })
    other = AVSMetrics(registry, label: "other")
    outcomes = OutcomeMetricFamilies(registry)
    dispatch = DispatchMetricFamilies(registry)
    signing = SigningMetrics(registry)
    store = StoreMetrics(registry)
    registry.gauge("ponos_build_info", help: "1, with the version as a label.", labels: ["version"]).with(version).set(1)
    let uptime = registry.gauge("ponos_uptime_seconds", help: "Time since the daemon started.").with()
    registry.beforeScrape { uptime.set(Date().timeIntervalSince(started)) }
  }

  // MARK: Tasks

  /// A submission came in that could be decoded.
  package func taskReceived(_ avs: EthereumAddress) { metrics(of: avs).received.increment() }

  /// A submission was refused; `avs` is nil when it does not name one.
  package func taskRefused(_ avs: EthereumAddress?, code: String) { outcomes.refused.with(label(of: avs), code).increment() }

  /// A task was written down and answered for.
  package func taskAccepted(_ avs: EthereumAddress) { metrics(of: avs).accepted.increment() }

  /// A finished task was submitted again, and known without the store.
  func taskAnsweredFromMemory(_ avs: EthereumAddress) { metrics(of: avs).remembered.increment() }

  /// A run at a performer brought a reply after `seconds`.
  package func taskExecuted(_ avs: EthereumAddress, seconds: Double) {
    metrics(of: avs).executed.increment()
    metrics(of: avs).executionSeconds.observe(seconds)
  }

  /// A run did not finish and the task will run again.
  package func taskRetried(_ avs: EthereumAddress) { metrics(of: avs).retried.increment() }

  /// An accepted task ended without a result.
  package func taskFailed(_ avs: EthereumAddress, code: String) { outcomes.failed.with(label(of: avs), code).increment() }

  /// A result was signed and its signature verified within `seconds`.
  package func taskSigned(_ curve: SignatureCurve, seconds: Double) { signing.seconds[curve]?.observe(seconds) }

  /// BN254 signatures of one key were verified together.
  func signaturesChecked(_ report: SignatureVerifier.BatchReport) {
    signing.batchSignatures.observe(Double(report.signatures))
    if !report.isGood { signing.badBatches.increment() }
  }

  /// A signed result went out.
  package func taskAnswered(_ avs: EthereumAddress, secondsFromAcceptance: Double) {
    metrics(of: avs).answerSeconds.observe(secondsFromAcceptance)
  }

  /// `depth` tasks wait.
  package func queueDepth(_ avs: EthereumAddress, _ depth: Int) { metrics(of: avs).queueDepth.set(Double(depth)) }

  /// A task left the queue after `seconds`.
  package func queueWait(_ avs: EthereumAddress, seconds: Double) { metrics(of: avs).queueSeconds.observe(seconds) }

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
    let byLabel = Dictionary(grouping: all) { label(of: $0.avs) }
    for avs in Array(byAVS.values) + [other] {
      let observations = byLabel[avs.label] ?? []
      // Each series is set once: a scrape at the same moment sees the old figure or the new one.
      for state in PerformerState.allCases {
        outcomes.performerStates.with(avs.label, state.rawValue.lowercased()).set(
          Double(observations.count { $0.state == state }))
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
  package func deployed(_ avs: EthereumAddress, seconds: Double) { metrics(of: avs).deploymentSeconds.observe(seconds) }

  /// A deployment did not come into service.
  package func deploymentFailed(_ avs: EthereumAddress, code: String) {
    outcomes.deploymentsFailed.with(label(of: avs), code).increment()
  }

  /// An image was brought from its registry.
  package func imagePulled(_ avs: EthereumAddress, seconds: Double) { metrics(of: avs).imagePullSeconds.observe(seconds) }

  /// A process in a container was killed for exceeding the memory limit.
  package func containerOutOfMemory(_ avs: EthereumAddress) { metrics(of: avs).outOfMemory.increment() }

  /// A container was made again for a performer.
  package func containerRestarted(_ avs: EthereumAddress) { metrics(of: avs).restarts.increment() }

  /// Tasks in a row got no answer from a performer, which is replaced for it.
  package func performerHung(_ avs: EthereumAddress) { metrics(of: avs).hangs.increment() }

  /// A health probe did not find the performer serving.
  package func healthCheckFailed(_ avs: EthereumAddress) { metrics(of: avs).healthFailures.increment() }

  /// Adds what the running containers used since the last time, and sets what memory they use now.
  func containerUsage(_ all: [ContainerUsageObservation]) {
    let byLabel = Dictionary(grouping: all) { label(of: $0.avs) }
    for avs in Array(byAVS.values) + [other] {
      let observations = byLabel[avs.label] ?? []
      avs.containerCPU.increment(by: observations.reduce(0) { $0 + $1.cpuSecondsSinceLast })
      avs.containerMemory.set(Double(observations.reduce(0) { $0 + $1.memoryBytes }))
    }
  }

  // MARK: The store

  package func storeCommit(_ report: CommitReport) {
    if report.isFailure { store.commitFailures.increment() }
    store.commitWrites.observe(Double(report.writes))
    store.commitSeconds.observe(report.duration / .seconds(1))
  }

  /// The write-ahead log could not be moved into the database file.
  package func storeCheckpointFailed() { store.checkpointFailures.increment() }

  /// A record was not what was written, and was made again or is not answered with.
  package func storeRecordDamaged(isRepaired: Bool) {
    store.damagedRecords.with(isRepaired ? "repaired" : "refused").increment()
  }

  /// Something happened to the store beside its commits.
  package func store(_ event: StoreEvent) {
    switch event {
    case .checked(let isIntact): store.isIntact.set(isIntact ? 1 : 0)
    case .backedUp(let time): store.lastBackup.set(time.timeIntervalSince1970)
    case .backupFailed: store.backupFailures.increment()
    }
  }

  // MARK: Totals

  /// Tasks by outcome since the start; the caller knows how many wait and run.
  package func taskCounts(waiting: Int, executing: Int) -> TaskCounts {
    let everyAVS = Array(byAVS.values) + [other]
    return TaskCounts(
      received: Self.sum(everyAVS.map(\.received)), refused: Self.sum(outcomes.refused.all),
      accepted: Self.sum(everyAVS.map(\.accepted)),
      signed: signing.seconds.values.reduce(0) { $0 + $1.count }, failed: Self.sum(outcomes.failed.all), waiting: waiting,
      executing: executing)
  }

  private static func sum(_ counters: [PrometheusCounter]) -> Int { Int(counters.reduce(0) { $0 + $1.value }) }

  private func metrics(of avs: EthereumAddress) -> AVSMetrics { byAVS[avs] ?? other }

  private func label(of avs: EthereumAddress?) -> String { avs.flatMap { byAVS[$0] }?.label ?? other.label }
}
