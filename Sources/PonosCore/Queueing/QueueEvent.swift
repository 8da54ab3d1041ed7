/// Something that happened in the queue and is counted.
package enum QueueEvent: Sendable, Equatable {
  /// There was no room at this bound: a newcomer was refused (`rejectNewest`), or took another task's place as this policy says.
  case overflow(avs: EthereumAddress, OverflowPolicy, QueueBound)
  /// The time of a task ended while it waited.
  case expired(avs: EthereumAddress)
}
