import Foundation
import PonosCore
@testable import PonosCrypto
import PonosTesting
import Synchronization
import Testing

@Suite("Signature verifier")
struct SignatureVerifierTests {
  private struct Submission: Sendable {
    var key: VerificationKey
    var digest: Digest32
    var signature: [UInt8]
    var isGood: Bool
  }

  /// Notes every batch; where it is told to, it keeps the first one from ending until `others` callers wait.
  private final class Batches: Sendable {
    private let reports = Mutex<[SignatureVerifier.BatchReport]>([])
    private let hold = Mutex<(verifier: SignatureVerifier, others: Int)?>(nil)

    var all: [SignatureVerifier.BatchReport] { reports.withLock(\.self) }

    func holdTheFirst(of verifier: SignatureVerifier, until others: Int) { hold.withLock { $0 = (verifier, others) } }

    func note(_ report: SignatureVerifier.BatchReport) {
      reports.withLock { $0.append(report) }
      guard let (verifier, others) = hold.withLock({ $0.take() }) else { return }
      let deadline = ContinuousClock.now + .seconds(20)
      while verifier.waitingCount < others, ContinuousClock.now < deadline { usleep(200) }
      #expect(verifier.waitingCount == others)
    }
  }

  /// A thread of its own, which may be kept waiting.
  private final class OwnThread: TaskExecutor {
    private let queue = DispatchQueue(label: "verifier-test")

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }

  private static func submission(by key: SigningKey, isGood: Bool = true) throws -> Submission {
    let digest = Digest32(unchecked: (0..<32).map { _ in UInt8.random(in: .min ... .max) })
    let other = Digest32(unchecked: digest.bytes.reversed())
    return Submission(
      key: key.verificationKey, digest: digest, signature: try key.signMessage(isGood ? digest : other), isGood: isGood)
  }

  private static func isAccepted(_ submission: Submission, by verifier: SignatureVerifier) async -> Bool {
    do throws(SignatureError) {
      try await verifier.verifyMessage(submission.digest, signature: submission.signature, by: submission.key)
      return true
    } catch {
      #expect(error == .doesNotVerify)
      return false
    }
  }

  /// Verifies `first`, and while that is under way all of `others`; returns what became of them.
  private static func verify(
    _ first: Submission, whileWaiting others: [Submission], with verifier: SignatureVerifier, _ batches: Batches,
    cancelling: Set<Int> = []
  ) async -> [Bool] {
    batches.holdTheFirst(of: verifier, until: others.count)
    return await withTaskGroup(of: (Int, Bool).self) { group in
      group.addTask(executorPreference: OwnThread()) { (0, await isAccepted(first, by: verifier)) }
      await untilBusy(verifier)
      for (index, submission) in others.enumerated() {
        group.addTask {
          guard cancelling.contains(index) else { return (index + 1, await isAccepted(submission, by: verifier)) }
          let caller = Task { await isAccepted(submission, by: verifier) }
          caller.cancel()
          return (index + 1, await caller.value)
        }
      }
      var results = [Bool](repeating: false, count: others.count + 1)
      for await (index, isAccepted) in group { results[index] = isAccepted }
      return results
    }
  }

  /// Waits until something is being checked.
  private static func untilBusy(_ verifier: SignatureVerifier) async {
    let deadline = ContinuousClock.now + .seconds(20)
    while verifier.keyCount == 0, ContinuousClock.now < deadline { await Task.yield() }
    #expect(verifier.keyCount == 1)
  }

  @Test("a lone signature is checked at once, those that come meanwhile together; nothing is remembered of good ones")
  func naturalBatches() async throws {
    let key = TestKeys.stranger(.bn254)
    let batches = Batches()
    let verifier = SignatureVerifier { batches.note($0) }
    let others = try (0..<40).map { _ in try Self.submission(by: key) }
    let results = await Self.verify(try Self.submission(by: key), whileWaiting: others, with: verifier, batches)
    #expect(!results.contains(false))
    #expect(batches.all == [.init(signatures: 1, isGood: true), .init(signatures: 40, isGood: true)])
    #expect(verifier.keyCount == 0)
  }

  @Test("bad signatures in a batch are refused and no others; batches of the key are smaller afterwards")
  func badOnesInABatch() async throws {
    let key = TestKeys.stranger(.bn254)
    for bad in [[0], [39], [3, 4, 17], Array(0..<40), Array(1..<40)] {
      let batches = Batches()
      let verifier = SignatureVerifier(settings: .init(signatures: 64, workers: 2)) { batches.note($0) }
      let others = try (0..<40).map { try Self.submission(by: key, isGood: !bad.contains($0)) }
      let results = await Self.verify(try Self.submission(by: key), whileWaiting: others, with: verifier, batches)
      #expect(results == [true] + others.map(\.isGood))
      #expect(batches.all.last == .init(signatures: 40, isGood: false))
      #expect(verifier.keyCount == 1)
    }
  }

  @Test("a caller that is cancelled leaves nobody waiting, wherever in the batch it is")
  func cancellation() async throws {
    let key = TestKeys.stranger(.bn254)
    for cancelled in [Set([0]), Set([5, 6]), Set(0..<12)] {
      let batches = Batches()
      let verifier = SignatureVerifier { batches.note($0) }
      let others = try (0..<12).map { try Self.submission(by: key, isGood: $0 % 5 != 0) }
      let results = await Self.verify(
        try Self.submission(by: key), whileWaiting: others, with: verifier, batches, cancelling: cancelled)
      #expect(results == [true] + others.map(\.isGood))
    }
  }

  @Test("many at once, of several keys and both curves, good and bad: each gets its own answer", arguments: [1, 4, 64])
  func storm(batchSize: Int) async throws {
    let keys = [TestKeys.stranger(.bn254), TestKeys.executor(.bn254), TestKeys.stranger(.ecdsa)]
    let batches = Batches()
    let verifier = SignatureVerifier(settings: .init(signatures: batchSize, workers: 3)) { batches.note($0) }
    let submissions = try (0..<300).map { index in
      // The first key is lied about, the second hardly ever.
      try Self.submission(by: keys[index % 3], isGood: index % 3 == 1 ? index % 50 != 1 : index % 4 != 0)
    }
    await withTaskGroup(of: (Bool, Bool).self) { group in
      for submission in submissions {
        group.addTask { (submission.key.curve == .ecdsa, await Self.verdict(on: submission, by: verifier)) }
      }
      for await (_, isRight) in group { #expect(isRight) }
    }
    #expect(verifier.waitingCount == 0)
    #expect(batches.all.reduce(0) { $0 + $1.signatures } == 200)
    #expect(batches.all.allSatisfy { $0.signatures <= batchSize })
  }

  /// Whether what became of it is right. A wrong ECDSA signature may fail in more ways than one.
  private static func verdict(on submission: Submission, by verifier: SignatureVerifier) async -> Bool {
    do throws(SignatureError) {
      try await verifier.verifyMessage(submission.digest, signature: submission.signature, by: submission.key)
      return submission.isGood
    } catch {
      return !submission.isGood
    }
  }

  @Test("what is no point of the group never gets into a batch")
  func malformed() async throws {
    let batches = Batches()
    let verifier = SignatureVerifier { batches.note($0) }
    let good = try Self.submission(by: TestKeys.stranger(.bn254))
    let offCurve = [UInt8](repeating: 0, count: 63) + [1]
    let malformed = [[], Array(good.signature.dropLast()), good.signature + [0], [UInt8](repeating: 0, count: 64), offCurve]
    for signature in malformed {
      await #expect(throws: SignatureError.self) {
        try await verifier.verifyMessage(good.digest, signature: signature, by: good.key)
      }
    }
    #expect(batches.all.isEmpty)
  }

  @Test(
    "verifies both signatures of a result, and refuses those of another key or of another task",
    arguments: SignatureCurve.allCases)
  func verifiesResults(curve: SignatureCurve) async throws {
    let key = TestKeys.executor(curve)
    let set = OperatorSet(avs: PipelineRig.avs, id: 1)
    let task = TaskID(unchecked: [UInt8](repeating: 0x31, count: 32))
    let certificate = CertificateDigest.make(
      curve: curve, messageHash: ResultMessage(taskID: task, result: [1, 2]).digest, referenceTimestamp: 3,
      ecdsaVerifier: PipelineRig.ecdsaVerifier)
    let verifier = SignatureVerifier()
    func signatures(by key: SigningKey, _ task: TaskID) throws -> (signatures: ResultSignatures, authDigest: Digest32) {
      let signatures = try key.signResult(
        certificate, taskID: task, operatorSet: set, operatorAddress: PipelineRig.operatorAddress)
      let message = AuthMessage(
        taskID: task, operatorSet: set, operatorAddress: PipelineRig.operatorAddress, resultSignature: signatures.result)
      return (signatures, message.digest)
    }
    let good = try signatures(by: key, task)
    try await verifier.verifyResult(
      certificate, authDigest: good.authDigest, signatures: good.signatures, by: key.verificationKey)
    let foreign = try signatures(by: TestKeys.stranger(curve), task)
    let other = try signatures(by: key, TaskID(unchecked: [UInt8](repeating: 0x32, count: 32)))
    for (signatures, authDigest) in [foreign, (good.signatures, other.authDigest), (other.signatures, good.authDigest)] {
      await #expect(throws: SignatureError.self) {
        try await verifier.verifyResult(certificate, authDigest: authDigest, signatures: signatures, by: key.verificationKey)
      }
    }
  }
}
