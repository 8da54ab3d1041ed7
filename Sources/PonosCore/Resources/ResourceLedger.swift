/// Who may use how much of a host, and who was refused.
///
/// Limits are ceilings: the reservations of all performers together may exceed the capacity. A performer is refused only when the
/// whole host has less than its container may use.
package struct ResourceLedger: Sendable, Equatable {
  /// What one performer may use.
  package struct Reservation: Sendable, Equatable {
    package let avs: EthereumAddress
    package let limits: ResourceLimits

    package init(avs: EthereumAddress, limits: ResourceLimits) {
      self.avs = avs
      self.limits = limits
    }
  }

  /// Whether a host has what a performer may use.
  package enum Fit: Sendable, Equatable {
    case fits
    /// What the host lacks, and what to do.
    case tooLarge(reason: String)
  }

  /// What the host has, as found last.
  package var capacity: HostCapacity
  /// What is reserved, by performer.
  package private(set) var reservations: [String: Reservation] = [:]
  /// AVSs of the performers that were refused, by performer.
  private var refusals: [String: EthereumAddress] = [:]

  package init(capacity: HostCapacity = .unknown) {
    self.capacity = capacity
  }

  /// Reserves what a performer may use, if the host has it. An earlier reservation or refusal of the performer is replaced; a
  /// performer that is refused has no reservation.
  package mutating func reserve(_ reservation: Reservation, for performerID: String) -> Fit {
    if let reason = capacity.shortage(for: reservation.limits) {
      reservations[performerID] = nil
      refusals[performerID] = reservation.avs
      return .tooLarge(reason: reason)
    }
    hold(reservation, for: performerID)
    return .fits
  }

  /// Reserves what a performer may use whose container is there already, without asking what the host has.
  package mutating func hold(_ reservation: Reservation, for performerID: String) {
    refusals[performerID] = nil
    reservations[performerID] = reservation
  }

  /// Ends the reservation or the refusal of a performer. Does nothing for an unknown one.
  package mutating func release(_ performerID: String) {
    reservations[performerID] = nil
    refusals[performerID] = nil
  }

  /// Whether a performer of the AVS was refused, and has not been given a place or up since.
  package func hasRefused(_ avs: EthereumAddress) -> Bool {
    refusals.values.contains(avs)
  }
}
