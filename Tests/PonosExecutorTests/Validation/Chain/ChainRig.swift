import PonosChain
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutor
import PonosExecutorTesting
import PonosSystem
import PonosTesting

/// A validator that reads a test chain, and submissions for it.
struct ChainRig: Sendable {
  static let avs = EthereumAddress(unchecked: [UInt8](repeating: 0x44, count: 20))
  static let operatorAddress = EthereumAddress(unchecked: [UInt8](repeating: 0x0a, count: 20))
  static let aggregator = TestAggregator.registered(.ecdsa)
  static let aggregators = OperatorSet(avs: avs, id: 0)
  /// Signs with ECDSA; the one after it with BN254.
  static let set = OperatorSet(avs: avs, id: 1)

  let chain: TestChain
  let reader: ChainReader
  let registry: ChainOperatorSetRegistry
  let validator: TaskValidator

  init(
    _ chain: TestChain, agreement: Int = 1, settings: ChainOperatorSetRegistry.Settings = .init(),
    keys: KeyRing = KeyRing(SignatureCurve.allCases.map { TestKeys.executor($0) }), checks: [EthereumAddress: TaskCheck] = [:],
    avs: Set<EthereumAddress> = [avs]
  ) throws {
    var pool = EndpointPool.Settings(chainID: 31337)
    (pool.requestLimit, pool.totalLimit, pool.hedgeDelay) = (.milliseconds(700), .seconds(3), .milliseconds(200))
    let endpoints = try EndpointPool(urls: chain.urls, settings: pool, caFile: nil)
    let deployment = try Self.deployment()
    self.chain = chain
    reader = ChainReader(pool: endpoints, agreement: agreement)
    registry = ChainOperatorSetRegistry(
      reader: reader, allocationManager: deployment.allocationManager, keyRegistrar: deployment.keyRegistrar,
      operatorAddress: Self.operatorAddress, avs: avs, curves: { _ in Set(SignatureCurve.allCases) }, settings: settings)
    registry.use(keys)
    let mailbox = TaskMailboxCheck(pool: endpoints, mailbox: deployment.taskMailbox, agreement: 1, checks: checks)
    validator = TaskValidator(
      operatorAddress: Self.operatorAddress, registry: registry, signers: { _ in Set(SignatureCurve.allCases) },
      checkOnChain: { (task) async throws(Rejection) in try await mailbox.check(task) })
  }

  private static func deployment() throws -> EigenLayerDeployment {
    guard let deployment = EigenLayerDeployment.known(chainID: 31337) else {
      throw TestChain.Failure(description: "no deployment is known for chain 31337")
    }
    return deployment
  }

  /// A chain with one AVS that is registered completely, and a rig that reads it.
  static func running(
    endpoints: Int = 1, blocks: Int = 20, agreement: Int = 1, settings: ChainOperatorSetRegistry.Settings = .init(),
    aggregator: TestAggregator = aggregator, checks: [EthereumAddress: TaskCheck] = [:],
    _ body: (ChainRig) async throws -> Void
  ) async throws {
    try await TestChain.running(endpoints: endpoints, blocks: blocks) { chain in
      try await chain.mine(
        ChainChange.complete(
          avs, aggregator: (aggregator.address, aggregator.key), operatorAddress: operatorAddress,
          executorKeys: [TestKeys.executor(.ecdsa), TestKeys.executor(.bn254)]))
      let rig = try ChainRig(chain, agreement: agreement, settings: settings, checks: checks)
      try await rig.reader.advance()
      try await body(rig)
    }
  }

  /// A task for `set` that names `block`.
  static func draft(_ block: UInt64 = 0, set: OperatorSet = set, payload: String = "0x04") -> SubmissionDraft {
    var draft = SubmissionDraft(avs: set.avs, executor: operatorAddress, operatorSetID: set.id, payload: payload)
    draft.blockNumber = block
    return draft
  }

  /// Validates a task of `aggregator`; returns the code with which it is refused, nil when it is not.
  func code(of draft: SubmissionDraft = draft(), by aggregator: TestAggregator = aggregator) async throws -> String? {
    let submission = try TaskSubmission(wire: try aggregator.sign(draft))
    do throws(Rejection) {
      _ = try await validator.validate(submission)
      return nil
    } catch {
      return error.code
    }
  }

  /// The chain's head, after the reader has taken it in.
  func follow() async throws -> UInt64 {
    try await reader.advance()
    return try await chain.head().number
  }
}
