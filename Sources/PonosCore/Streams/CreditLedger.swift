/// The credit that all sessions hold, so that together they are never promised more places than the queue has, and none of them can
/// have what another one needs.
///
/// Credit that was given cannot be taken back from a session that does not use it. So each aggregator that may open a session has its
/// part of the places, whether it is there or not.
package struct CreditLedger: Sendable {
  private let aggregators: [EthereumAddress: Int]
  private let everyAggregator: Int
  private var held: [EthereumAddress: Int] = [:]
  private var total = 0

  /// - Parameter aggregators: How many each AVS has; 1 for those not named.
  package init(aggregators: [EthereumAddress: Int] = [:]) {
    self.aggregators = aggregators
    everyAggregator = max(1, aggregators.values.reduce(0, +))
  }

  /// Credit held for an AVS.
  package func held(by avs: EthereumAddress) -> Int { held[avs] ?? 0 }

  /// Takes up to `wanted` credits for a session.
  ///
  /// - Parameters:
  ///   - own: What the session holds already.
  ///   - room: What a task of the AVS could take now.
  package mutating func take(upTo wanted: Int, avs: EthereumAddress, own: Int, room: QueueRoom) -> Int {
    guard room.places > 0 else { return 0 }
    let ofAVS = min(room.ofAVS, room.fittingOfAVS) / max(1, aggregators[avs] ?? 1)
    let part = max(1, min(ofAVS, min(room.total, room.fittingTotal) / everyAggregator))
    // What others hold is places; how many tasks of this AVS fit says nothing about theirs.
    let count = max(0, min(wanted, part - own, room.ofAVS - held(by: avs), room.total - total))
    if count > 0 {
      held[avs, default: 0] += count
      total += count
    }
    return count
  }

  /// Gives credits back: their submissions took a place, or were refused, or will never come.
  package mutating func giveBack(_ count: Int, avs: EthereumAddress) {
    let returned = min(max(0, count), held(by: avs))
    total -= returned
    let left = held(by: avs) - returned
    held[avs] = left > 0 ? left : nil
  }
}
