import PonosConfiguration
import PonosContainers
import PonosCore
import PonosStore
import PonosSystem

/// What readers see of the running daemon: readiness, the state dump, gauges. Reads snapshots; changes nothing.
struct DaemonView: Sendable {
  /// The daemon's own version.
  let version: String
  let config: ExecutorConfig
  let startedAt: UnixMilliseconds
  let clock: TaskClock
  let store: any TaskStore
  let storeStatistics: @Sendable () -> StoreStatistics
  let storeCondition: StoreCondition
  let queue: TaskQueue
  let inFlight: InFlightTasks
  let roster: PerformerRoster
  let performers: PerformerService
  let admission: Admission
  let metrics: ExecutorMetrics
  /// nil when nothing is read from the chain.
  let chain: ChainView?
  let installationID: String

  /// Tasks a state dump lists.
  private static let recentTasks = 50

  func readiness() -> Readiness {
    let obstacles = performers.notReady()
    let closed = admission.obstacle
    return Readiness(
      checks: [
        .init(name: "intake", isReady: closed == nil, reason: closed.map { "no tasks are taken in: the executor is \($0)" }),
        Readiness.Check(storeCondition.standing(storeStatistics())),
        .init(
          name: "performers", isReady: obstacles.isEmpty || isServingAny, isComplete: obstacles.isEmpty,
          reason: obstacles.isEmpty ? nil : obstacles.joined(separator: "; ")),
      ] + (chain.map { [$0.check] } ?? []))
  }

  /// One broken AVS must not take the node from the others: a balancer sends nothing to a node that is not ready.
  private var isServingAny: Bool { config.avs.contains { roster.breakersOpen($0.address) == .zero } }

  func state() async -> StateDump {
    var readiness = readiness()
    var recent: [TaskSummary] = []
    do throws(StoreError) { recent = try await store.recentTasks(limit: Self.recentTasks) } catch {
      readiness.checks.append(.init(name: "store", isReady: false, reason: error.description))
    }
    let depths = queue.depths
    let waiting = depths.values.reduce(0, +)
    return StateDump(
      version: version, startedAt: startedAt, now: clock.unix(),
      operatorAddress: config.identity.address, installationID: installationID, readiness: readiness,
      configuration: ConfigurationSummary(config: config), performers: performerViews(),
      queues: config.avs.map { avs in
        QueueView(avs: avs.address, waiting: depths[avs.address] ?? 0, limit: config.queue.maxPerAVS)
      },
      tasks: metrics.taskCounts(waiting: waiting, executing: roster.snapshot().reduce(0) { $0 + $1.outstanding }),
      recentTasks: recent, chain: chain?.endpoints ?? [])
  }

  /// Sets the gauges that are read rather than counted.
  func publishGauges() {
    let slots = slotsByPerformer()
    metrics.performers(
      performers.snapshots().map { snapshot in
        let slot = slots[snapshot.performerID]
        return PerformerObservation(
          avs: snapshot.avs, state: snapshot.state, isRunning: snapshot.containerHealthy,
          capacity: slot?.capacity ?? 0, outstanding: slot?.outstanding ?? 0, breaker: slot?.breaker)
      })
    let depths = queue.depths
    for avs in config.avs { metrics.queueDepth(avs.address, depths[avs.address] ?? 0) }
  }

  private func performerViews() -> [PerformerView] {
    let slots = slotsByPerformer()
    return performers.snapshots().map { snapshot in
      let slot = slots[snapshot.performerID]
      return PerformerView(
        id: snapshot.performerID, avs: snapshot.avs, state: snapshot.status, image: snapshot.image.description,
        containerID: snapshot.containerID, generation: snapshot.generation, restarts: snapshot.restarts,
        capacity: slot?.capacity ?? 0, outstanding: slot?.outstanding ?? 0, breaker: slot?.breaker,
        isHealthy: snapshot.containerHealthy && snapshot.applicationHealthy,
        lastHealthCheckAt: snapshot.lastHealthCheck, lastError: snapshot.lastError)
    }
  }

  private func slotsByPerformer() -> [String: PerformerRoster.Snapshot] {
    Dictionary(roster.snapshot().map { ($0.performerID, $0) }, uniquingKeysWith: { first, _ in first })
  }
}
