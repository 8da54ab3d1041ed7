/// The credit that all sessions hold, by AVS, so that together they are never promised more places than the queue has.
package struct CreditLedger: Sendable {
  private var held: [EthereumAddress: Int] = [:]

  package init() {}

  /// Credit held for an AVS.
  package func held(by avs: EthereumAddress) -> Int { held[avs] ?? 0 }

  /// Takes up to `wanted` credits.
  ///
  /// - Parameter free: Places of the queue a task of the AVS could take now.
  package mutating func take(upTo wanted: Int, avs: EthereumAddress, free: Int) -> Int {
    let count = max(0, min(wanted, free - held(by: avs)))
    if count > 0 { held[avs, default: 0] += count }
    return count
  }

  /// Gives credits back: their submissions took a place, or were refused, or will never come.
  package mutating func giveBack(_ count: Int, avs: EthereumAddress) {
    let left = held(by: avs) - max(0, count)
    held[avs] = left > 0 ? left : nil
  }
}
