/// How a task's performer is chosen among the replicas that can take it.
package enum LoadBalancing: String, Sendable, Hashable, CaseIterable {
  /// The one with the fewest tasks; among equals as `roundRobin`.
  case leastOutstanding
  /// The one that follows the one chosen last.
  case roundRobin

  /// A replica that has room.
  package struct Candidate: Sendable, Equatable {
    /// Number of the replica, from 0; no two candidates share it.
    package var replica: Int
    /// Tasks it has.
    package var outstanding: Int

    package init(replica: Int, outstanding: Int) {
      self.replica = replica
      self.outstanding = outstanding
    }
  }

  /// The number of the replica to take; nil without candidates.
  ///
  /// - Parameter last: The one chosen last, whether it is among the candidates or not; nil before the first choice.
  package func choose(from candidates: [Candidate], after last: Int?) -> Int? {
    switch self {
    case .roundRobin:
      return Self.following(last, candidates)
    case .leastOutstanding:
      guard let least = candidates.map(\.outstanding).min() else { return nil }
      return Self.following(last, candidates.filter { $0.outstanding == least })
    }
  }

  private static func following(_ last: Int?, _ candidates: [Candidate]) -> Int? {
    let replicas = candidates.map(\.replica)
    return last.flatMap { last in replicas.filter { $0 > last }.min() } ?? replicas.min()
  }
}
