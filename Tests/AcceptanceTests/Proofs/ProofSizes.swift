import Foundation

/// How much the proofs do: enough for every run of the tests, and more where the environment says so.
enum ProofSizes {
  /// Kills of the daemon, those at failpoints included.
  static let kills = number("PONOS_PROOF_KILLS") ?? 100
  /// Submissions of the duplicate storm.
  static let storm = number("PONOS_PROOF_STORM") ?? 100_000
  /// Connections of stock clients at the public client's own pace; nil for 2,000 at a quicker one.
  static let stockClients = number("PONOS_PROOF_STOCK_CLIENTS")
  /// What the dice of a proof begin with.
  static let seed = number("PONOS_PROOF_SEED").map { UInt64($0) } ?? UInt64.random(in: 1...1_000_000)

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }
}
