import PonosSystem
import PonosTesting

/// How much the proofs with the real daemon do, see `ProofSize`.
enum ProofSizes {
  /// Kills of the daemon, those at failpoints included.
  static let kills = ProofSize.of(100, least: Failpoint.allCases.count, variable: "PONOS_PROOF_KILLS")
  /// Submissions of the duplicate storm.
  static let storm = ProofSize.of(100_000, least: 1_000, variable: "PONOS_PROOF_STORM")
  /// Connections of stock clients at the public client's own pace; nil for 2,000 at a quicker one.
  static let stockClients = ProofSize.number("PONOS_PROOF_STOCK_CLIENTS")
  /// What the dice of a proof begin with.
  static let seed = ProofSize.number("PONOS_PROOF_SEED", as: UInt64.self) ?? UInt64.random(in: 1...1_000_000)
}
