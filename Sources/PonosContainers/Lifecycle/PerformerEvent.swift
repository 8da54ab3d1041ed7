import PonosCore

/// Something worth counting that happened to a performer.
package enum PerformerEvent: Sendable, Equatable {
  /// A deployment succeeded; the time from request to service.
  case deployed(avs: EthereumAddress, Duration)
  case deploymentFailed(avs: EthereumAddress, DeploymentError.Code)
  /// A container was created in place of one that failed or vanished.
  case restarted(avs: EthereumAddress)
  case probeFailed(avs: EthereumAddress)
  /// Tasks in a row got no answer.
  case hung(avs: EthereumAddress)
  /// A process in the container exceeded the memory limit.
  case outOfMemory(avs: EthereumAddress)
  /// An image was brought from its registry; the time it took.
  case imagePulled(avs: EthereumAddress, Duration)
}
