import PonosStore

/// Whether the daemon can take tasks, and what is missing if not.
package struct Readiness: Sendable, Equatable, Codable {
  /// One condition.
  package struct Check: Sendable, Equatable, Codable {
    /// Short and stable, for example `store`.
    package var name: String
    /// Whether tasks can be taken as far as this condition goes, be it of some AVSs only.
    package var isReady: Bool
    /// Whether nothing at all is missing.
    package var isComplete: Bool
    /// What is missing and what brings it, when not ready; when ready, what will be missing unless somebody sees to it.
    package var reason: String?

    /// - Parameter isComplete: nil for a condition that is met whole or not at all.
    package init(name: String, isReady: Bool, isComplete: Bool? = nil, reason: String? = nil) {
      self.name = name
      self.isReady = isReady
      self.isComplete = isComplete ?? isReady
      self.reason = reason
    }
  }

  package var checks: [Check]

  package init(checks: [Check]) { self.checks = checks }

  /// Conditions that somebody has to see to, now or before long.
  package var concerns: [Check] { checks.filter { !$0.isReady || $0.reason != nil } }

  /// Whether every condition is met.
  package var isReady: Bool { checks.allSatisfy(\.isReady) }

  /// Whether every condition is met for every AVS.
  package var isComplete: Bool { checks.allSatisfy { $0.isReady && $0.isComplete } }

  package init(from decoder: any Decoder) throws {
    checks = try decoder.container(keyedBy: CodingKeys.self).decode([Check].self, forKey: .checks)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(isReady, forKey: .ready)
    try container.encode(isComplete, forKey: .complete)
    try container.encode(checks, forKey: .checks)
  }

  private enum CodingKeys: String, CodingKey {
    case ready, complete, checks
  }
}

extension Readiness.Check {
  /// Whether tasks can be taken in, as far as the store is concerned.
  init(_ store: StoreCondition.Standing) {
    self.init(name: "store", isReady: store.obstacle == nil, reason: store.obstacle ?? store.warning)
  }
}
