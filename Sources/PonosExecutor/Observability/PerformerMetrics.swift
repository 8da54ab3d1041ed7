extension ExecutorMetrics {
  /// Counts what the performer service tells of its performers.
  func observe(_ event: PerformerEvent) {
    switch event {
    case .restarted(let avs): containerRestarted(avs)
    case .probeFailed(let avs): healthCheckFailed(avs)
    case .deployed, .deploymentFailed, .outOfMemory, .imagePulled: break
    }
  }
}
