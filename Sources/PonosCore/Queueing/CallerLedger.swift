/// Counts the memory held by submissions whose callers wait. Bounds it in total and for each AVS, so that one AVS keeps no other
/// out.
package struct CallerLedger: Sendable {
  /// In bytes, of all AVSs together.
  private let limit: Int
  /// In bytes, of one AVS.
  private let share: Int
  private var total = 0
  private var held: [EthereumAddress: Int] = [:]

  /// - Parameter limit: In bytes. One AVS may have a quarter of it, as of the queue.
  package init(limit: Int) {
    self.limit = limit
    share = limit / 4
  }

  /// Bytes of an AVS.
  package func held(by avs: EthereumAddress) -> Int { held[avs] ?? 0 }

  /// Takes `bytes` for a submission of `avs`; returns whether that many were left.
  package mutating func take(_ bytes: Int, avs: EthereumAddress) -> Bool {
    guard total + bytes <= limit, held(by: avs) + bytes <= share else { return false }
    total += bytes
    held[avs, default: 0] += bytes
    return true
  }

  /// Gives back what was taken, or a part of it.
  package mutating func giveBack(_ bytes: Int, avs: EthereumAddress) {
    total -= bytes
    let left = held(by: avs) - bytes
    held[avs] = left > 0 ? left : nil
  }
}
