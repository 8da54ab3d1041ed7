import PonosStore

/// Whether the daemon can take tasks, and what is missing if not.
package struct Readiness: Sendable, Equatable, Codable {
  /// One condition.
  package struct Check: Sendable, Equatable, Codable {
    /// Short and stable, for example `store`.
    package var name: String
    package var isReady: Bool
    /// What is missing and what brings it, when not ready; when ready, what will be missing unless somebody sees to it.
    package var reason: String?

    package init(name: String, isReady: Bool, reason: String? = nil) {
      self.name = name
      self.isReady = isReady
      self.reason = reason
    }
  }

  package var checks: [Check]

  package init(checks: [Check]) { self.checks = checks }

  /// Conditions that somebody has to see to, now or before long.
  package var concerns: [Check] { checks.filter { !$0.isReady || $0.reason != nil } }

  /// Whether every condition is met.
  package var isReady: Bool { checks.allSatisfy(\.isReady) }

  package init(from decoder: any Decoder) throws {
    checks = try decoder.container(keyedBy: CodingKeys.self).decode([Check].self, forKey: .checks)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(isReady, forKey: .ready)
    try container.encode(checks, forKey: .checks)
  }

  private enum CodingKeys: String, CodingKey {
    case ready, checks
  }
}

extension Readiness.Check {
  /// Whether tasks can be taken in, as far as the store is concerned.
  init(_ store: StoreCondition.Standing) {
    self.init(name: "store", isReady: store.obstacle == nil, reason: store.obstacle ?? store.warning)
  }
}
