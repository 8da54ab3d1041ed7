import PonosCore
import Synchronization

/// How far the deployment of one performer has come: drives its state machine, and shows each step in the status table.
final class DeploymentProgress: Sendable {
  private let performerID: String
  private let avs: EthereumAddress
  private let statuses: PerformerStatusTable
  private let observe: @Sendable (PerformerEvent) -> Void
  private let machine: Mutex<PerformerStateMachine>

  /// Enters the performer into the status table.
  init(
    of snapshot: PerformerSnapshot, settings: PerformerSettings, statuses: PerformerStatusTable,
    observe: @escaping @Sendable (PerformerEvent) -> Void
  ) {
    (performerID, avs) = (snapshot.performerID, snapshot.avs)
    self.statuses = statuses
    self.observe = observe
    machine = Mutex(PerformerStateMachine(deploying: settings.probes, policy: settings.restarts))
    statuses.put(snapshot)
  }

  /// Takes note of a step of the launch.
  func take(_ step: PerformerLauncher.Step) {
    switch step {
    case .pulling: handle(.pulling)
    case .pulled(let time): observe(.imagePulled(avs: avs, time))
    case .starting: handle(.starting)
    case .created(let containerID): statuses.update(performerID) { $0.containerID = containerID }
    case .started: statuses.update(performerID) { $0.containerHealthy = true }
    }
  }

  /// The performer has come into service. Returns its state machine, for its supervisor.
  func succeed() -> PerformerStateMachine {
    handle(.serving) { [now = statuses.now] entry in
      entry.applicationHealthy = true
      entry.lastHealthCheck = now
    }
    return machine.withLock(\.self)
  }

  /// The deployment has come to nothing, for `reason`; no container is left.
  func fail(_ reason: String, logTail: [String] = []) {
    handle(.startFailed(reason)) { entry in
      entry.containerID = nil
      entry.containerHealthy = false
      entry.lastError = reason
      entry.logTail = logTail
    }
  }

  private func handle(_ event: PerformerStateMachine.Event, _ change: (inout PerformerSnapshot) -> Void = { _ in }) {
    let state = machine.withLock { machine in
      _ = machine.handle(event, at: .now)
      return machine.state
    }
    statuses.update(performerID) { entry in
      entry.state = state
      change(&entry)
    }
  }
}
