import PonosChain
import PonosConfiguration
import PonosCore

/// What readers see of the chain: whether tasks can be judged by it, and how its endpoints are.
struct ChainView: Sendable {
  private let access: ChainAccess
  private let freshness: ChainFreshness
  /// Whether AVSs are served that do not need the chain.
  private let servesOthers: Bool

  /// nil when nothing is read from the chain.
  init?(_ access: ChainAccess?, _ registry: ChainOperatorSetRegistry?, servesOthers: Bool) {
    guard let access else { return nil }
    self.servesOthers = servesOthers
    self.access = access
    freshness = registry?.freshness ?? ChainFreshness(maxStale: access.config.maxStale)
  }

  var endpoints: [EndpointView] { access.reader.pool.snapshots().map { EndpointView($0, now: .now) } }

  /// Ready while tasks can be judged by what is known, or while there are AVSs with a registry, whom an outage must not take the node
  /// from. While no endpoint answers it says so in any case.
  var check: Readiness.Check {
    let status = access.reader.headStatus
    let standing = freshness.standing(status)
    let reason = standing == .live ? laggards : outage(status, standing)
    return Readiness.Check(
      name: "chain", isReady: standing != .lost || servesOthers, isComplete: standing != .lost, reason: reason)
  }

  private func outage(_ status: ChainReader.HeadStatus, _ standing: ChainFreshness.Standing) -> String {
    let known = status.head.map { "the newest block known is \($0.number)" } ?? "no block is known"
    let silence = status.silence.map { " since \($0.components.seconds) s" } ?? ""
    let consequence = standing == .stale ? "what is known is used" : "tasks of AVSs without a registry are refused"
    let each = endpoints.map(\.summary).joined(separator: "; ")
    return "no endpoint of the chain answers\(silence), \(known), \(consequence): \(each)"
  }

  /// Endpoints that somebody has to see to.
  private var laggards: String? {
    let troubled = endpoints.filter { $0.state != "serving" || $0.lag >= EndpointStateMachine.lagLimit }
    return troubled.isEmpty ? nil : troubled.map(\.summary).joined(separator: "; ")
  }
}

/// One endpoint of the chain.
package struct EndpointView: Sendable, Equatable, Codable {
  /// Host, and port where one is written.
  package var endpoint: String
  /// `serving`, `unverified`, `resting` or `wrong_chain`.
  package var state: String
  /// Number of the newest block it told of; nil before the first.
  package var head: UInt64?
  /// Blocks behind the newest one known.
  package var lag: UInt64
  /// Seconds for which it is left alone still; nil when it is asked.
  package var restsFor: Double?
  /// The last failure; nil when there was none.
  package var lastError: String?
  package var callsLastHour: Int

  package init(_ snapshot: EndpointSnapshot, now: ContinuousClock.Instant) {
    endpoint = snapshot.host
    head = snapshot.head?.number
    lag = snapshot.lag
    lastError = snapshot.lastError?.description
    callsLastHour = snapshot.callsLastHour
    switch snapshot.phase {
    case .serving: state = "serving"
    case .unverified: state = "unverified"
    case .resting(let until, _): (state, restsFor) = ("resting", max(0, (until - now) / .seconds(1)))
    case .wrongChain(_, let until): (state, restsFor) = ("wrong_chain", max(0, (until - now) / .seconds(1)))
    }
  }

  /// One line for people.
  package var summary: String {
    let block = head.map { "head \($0), lag \(lag)" } ?? "no head yet"
    return "\(endpoint) \(state) (\(block))" + (state == "serving" ? "" : lastError.map { ": \($0)" } ?? "")
  }
}
