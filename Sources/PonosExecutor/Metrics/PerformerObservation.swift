import PonosContainers
import PonosCore

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
