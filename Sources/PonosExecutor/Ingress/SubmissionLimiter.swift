import PonosCore
import PonosSystem
import Synchronization

/// Keeps aggregators to the rates the configuration grants them.
///
/// The limiter charges only newly accepted tasks, to the AVS and to the aggregator. Anybody can write an address into an unsigned
/// message, or repeat a signed one; if that were charged, it would use up the rates of honest aggregators. A verified submission
/// is charged before it is written down, and refunded when it brings no new task. Before the signature check the limiter only
/// looks whether a token is left: only the aggregator itself can have used its tokens, so the look refuses no one too early, and
/// an aggregator that sends too much costs no signature checks. Only verified aggregators get buckets, so the registry bounds
/// their number.
package final class SubmissionLimiter: Sendable {
  private struct Buckets {
    var avs: [EthereumAddress: TokenBucket] = [:]
    var owners: [TaskOwner: TokenBucket] = [:]
  }

  private let limits: [EthereumAddress: SubmissionLimits]
  private let clock: TaskClock
  private let buckets = Mutex(Buckets())

  /// AVSs not named have no limits.
  package init(limits: [EthereumAddress: SubmissionLimits] = [:], clock: TaskClock = .system) {
    self.limits = limits.filter { $0.value != SubmissionLimits() }
    self.clock = clock
  }

  /// Why a submission that says it is of `owner` would be refused now. Charges nothing.
  func obstacle(for owner: TaskOwner) -> Rejection? {
    guard limits[owner.avs] != nil else { return nil }
    let now = clock.monotonic()
    return buckets.withLock { buckets in
      Self.obstacle(buckets.owners[owner], buckets.avs[owner.avs], owner, at: now)
    }
  }

  /// Charges a verified submission, or says why it is refused; then nothing is charged.
  func charge(_ owner: TaskOwner) -> Rejection? {
    guard let limits = limits[owner.avs] else { return nil }
    let now = clock.monotonic()
    return buckets.withLock { buckets in
      var own = buckets.owners[owner] ?? limits.perAggregator.map { TokenBucket($0) }
      var shared = buckets.avs[owner.avs] ?? limits.perAVS.map { TokenBucket($0) }
      if let obstacle = Self.obstacle(own, shared, owner, at: now) { return obstacle }
      _ = own?.take(at: now)
      _ = shared?.take(at: now)
      (buckets.owners[owner], buckets.avs[owner.avs]) = (own, shared)
      return nil
    }
  }

  /// Gives back what was charged for a submission that brought no new task.
  func refund(_ owner: TaskOwner) {
    guard limits[owner.avs] != nil else { return }
    buckets.withLock { buckets in
      buckets.owners[owner]?.giveBack()
      buckets.avs[owner.avs]?.giveBack()
    }
  }

  /// - Parameters:
  ///   - own: The aggregator's bucket; nil for one that was never used.
  ///   - shared: The AVS's bucket; nil for one that was never used.
  private static func obstacle(
    _ own: TokenBucket?, _ shared: TokenBucket?, _ owner: TaskOwner, at now: Int64
  ) -> Rejection? {
    if let wait = own?.wait(at: now), wait > .zero {
      return .aggregatorRateLimited(owner.aggregator, avs: owner.avs, retryAfter: wait)
    }
    if let wait = shared?.wait(at: now), wait > .zero { return .avsRateLimited(owner.avs, retryAfter: wait) }
    return nil
  }
}
