import PonosContainers
import PonosSystem

extension ExecutorMetrics {
  /// Counts what the performer service tells of its performers.
  func observe(_ event: PerformerEvent) {
    switch event {
    case .deployed(let avs, let time): deployed(avs, seconds: time.seconds)
    case .deploymentFailed(let avs, let code): deploymentFailed(avs, code: code.rawValue)
    case .restarted(let avs): containerRestarted(avs)
    case .probeFailed(let avs): healthCheckFailed(avs)
    case .hung(let avs): performerHung(avs)
    case .outOfMemory(let avs): containerOutOfMemory(avs)
    case .imagePulled(let avs, let time): imagePulled(avs, seconds: time.seconds)
    }
  }
}
