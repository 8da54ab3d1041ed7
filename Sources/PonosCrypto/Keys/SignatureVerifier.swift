import Foundation
import PonosCore
import Synchronization

/// Verifies others' signatures and our own. Signatures of one BN254 key that arrive at the same time are checked together.
///
/// A caller checks at once, on its own thread, when nothing of the same key is being checked. Callers that arrive meanwhile wait, and the
/// first of them checks for all. Cancelling a caller has no effect, because it may be checking for others and a check takes milliseconds.
package final class SignatureVerifier: Sendable {
  /// The result of claims that were checked together.
  package struct BatchReport: Sendable, Equatable {
    /// Signatures checked together.
    package var signatures: Int
    /// Whether all were good.
    package var isGood: Bool
  }

  private struct Caller: Sendable {
    let claim: BN254Claim
    let continuation: CheckedContinuation<Turn, Never>
  }

  /// What a waiting caller has to do when it is resumed.
  private enum Turn: Sendable {
    /// Nothing: another caller has checked its claim.
    case checked(holds: Bool)
    /// Check these claims; the first is its own.
    case check([Caller])
  }

  private typealias Batches = BatchingStateMachine<Caller>

  private let settings: BatchSettings
  private let onBatch: @Sendable (BatchReport) -> Void
  /// Keys with a check under way or with bad signatures of late; no others.
  private let batches = Mutex<[BN254PublicKey: Batches]>([:])

  /// How claims are put together.
  package struct BatchSettings: Sendable {
    /// Signatures checked together at the most.
    package var signatures: Int
    /// Checks under way at a time for a key with bad signatures of late.
    package var workers: Int

    package init(signatures: Int = 64, workers: Int = ProcessInfo.processInfo.activeProcessorCount) {
      self.signatures = signatures
      self.workers = workers
    }
  }

  /// - Parameter onBatch: Called after each check, a lone one included; must be quick.
  package init(settings: BatchSettings = BatchSettings(), onBatch: @escaping @Sendable (BatchReport) -> Void = { _ in }) {
    self.settings = settings
    self.onBatch = onBatch
  }

  /// Returns when `key` signed `digest` as a message: a task submission or a session's proof.
  package func verifyMessage(
    _ digest: Digest32, signature: [UInt8], by key: VerificationKey
  ) async throws(SignatureError) {
    guard case .bn254(let key) = key else { return try key.verifyMessage(digest, signature: signature) }
    let statement = BN254Statement(digest: digest, hashing: .xmd, signature: try BN254Signature(bytes: signature))
    guard await holds(BN254Claim([statement]), of: key) else { throw .doesNotVerify }
  }

  /// Returns when `key` made both signatures of a result; on BN254 they share one verification.
  package func verifyResult(
    _ certificate: CertificateDigest, authDigest: Digest32, signatures: ResultSignatures, by key: VerificationKey
  ) async throws(SignatureError) {
    guard case .bn254(let point) = key, certificate.curve == .bn254 else {
      return try key.verifyResult(certificate, authDigest: authDigest, signatures: signatures)
    }
    let statements = try signatures.statements(certificate, authDigest: authDigest)
    guard await holds(BN254Claim(statements), of: point) else { throw .doesNotVerify }
  }

  /// Whether `key` made every signature of `claim`.
  package func holds(_ claim: BN254Claim, of key: BN254PublicKey) async -> Bool {
    let turn = await withCheckedContinuation { continuation in
      let caller = Caller(claim: claim, continuation: continuation)
      begin(change(key) { $0.arrive(caller, weight: claim.signatureCount) })
    }
    return switch turn {
    case .checked(let holds): holds
    case .check(let callers): await check(callers, key)
    }
  }

  /// Callers that wait until those before them are checked.
  var waitingCount: Int { batches.withLock { $0.values.reduce(0) { $0 + $1.waitingCount } } }

  /// Keys that something is remembered about.
  var keyCount: Int { batches.withLock { $0.count } }

  private func change(_ key: BN254PublicKey, _ step: (inout Batches) -> [[Caller]]) -> [[Caller]] {
    batches.withLock { all in
      // Changed in place: a second reference would have the waiting callers copied.
      let begun = step(&all[key, default: Batches(.init(batchWeight: settings.signatures, workers: settings.workers))])
      if all[key]?.isFresh == true { all[key] = nil }
      return begun
    }
  }

  private func begin(_ batches: [[Caller]]) {
    for batch in batches { batch.first?.continuation.resume(returning: .check(batch)) }
  }

  /// Answers each waiting caller as soon as its claim is decided. Returns whether the first claim holds, which is that of the caller that
  /// computes.
  private func check(_ callers: [Caller], _ key: BN254PublicKey) async -> Bool {
    var bisection = BN254Bisection(callers.map(\.claim), of: key)
    var (ownHolds, undecided, isGood) = (false, callers.count, true)
    while let verdict = bisection.next() {
      isGood = isGood && verdict.holds
      if verdict.range.contains(0) { ownHolds = verdict.holds }
      for index in verdict.range where index > 0 { callers[index].continuation.resume(returning: .checked(holds: verdict.holds)) }
      undecided -= verdict.range.count
      // The search for bad signatures takes many checks, and others may need the thread.
      if undecided > 0 { await Task.yield() }
    }
    onBatch(BatchReport(signatures: callers.reduce(0) { $0 + $1.claim.signatureCount }, isGood: isGood))
    begin(change(key) { $0.finish(foundBad: !isGood) })
    return ownHolds
  }
}
