import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting
import Testing

@testable import PonosChain
@testable import PonosExecutor

@Suite("A registry on the chain", .serialized)
struct ChainRegistryTests {
  private static let second = TestAggregator(
    address: EthereumAddress(unchecked: [UInt8](repeating: 0xe2, count: 20)), key: TestKeys.stranger(.ecdsa))

  private static let block = BlockHeader(
    number: 9, hash: Digest32(unchecked: [UInt8](repeating: 9, count: 32)),
    parentHash: Digest32(unchecked: [UInt8](repeating: 8, count: 32)), timestamp: 100,
    bloom: LogsBloom(hex: nil, isBlockEmpty: true))

  @Test("lets in what aggregators of either curve sign, for sets of either curve", arguments: SignatureCurve.allCases)
  func letsInWhatAggregatorsOfEitherCurveSign(curve: SignatureCurve) async throws {
    let aggregator = TestAggregator.registered(curve)
    try await ChainRig.running(aggregator: aggregator) { rig in
      for set in [UInt32(1), 2] {
        let code = try await rig.code(of: ChainRig.draft(set: OperatorSet(avs: ChainRig.avs, id: set)), by: aggregator)
        #expect(code == nil)
      }
      let forged = try await rig.code(by: TestAggregator(address: aggregator.address, key: TestKeys.stranger(curve)))
      #expect(forged == "bad_signature")
    }
  }

  @Test("asks nothing for a repeat, and few requests for the first of a block")
  func asksNothingForRepeat() async throws {
    try await ChainRig.running { rig in
      try await rig.chain.reset()
      #expect(try await rig.code() == nil)
      let cold = try await rig.chain.stats()[0].requests
      #expect(cold == 2)
      for _ in 0..<20 { #expect(try await rig.code() == nil) }
      #expect(try await rig.chain.stats()[0].requests == cold)
      for _ in 0..<5 {
        let head = try await rig.chain.mine().number
        try await rig.reader.advance()
        #expect(try await rig.code(of: ChainRig.draft(head)) == nil)
      }
      // One for the head of each block, none for the tasks.
      #expect(try await rig.chain.stats()[0].requests == cold + 5)
    }
  }

  @Test("reads three AVSs over twenty blocks of fifty tasks with fewer than two requests for a block and an AVS")
  func readsThreeAVSsOverTwentyBlocksOfFiftyTasks() async throws {
    let services = (1...3).map { EthereumAddress(unchecked: [UInt8](repeating: UInt8($0), count: 20)) }
    try await TestChain.running(interval: 1) { chain in
      for avs in services {
        try await chain.mine(
          ChainChange.complete(
            avs, aggregator: (ChainRig.aggregator.address, ChainRig.aggregator.key), operatorAddress: ChainRig.operatorAddress,
            executorKeys: [TestKeys.executor(.ecdsa)]))
      }
      let rig = try ChainRig(chain, avs: Set(services))
      try await rig.reader.advance()
      try await chain.reset()
      let following = Task { await rig.reader.follow { _ in } }
      defer { following.cancel() }
      for block in 0..<20 {
        // Somebody registers in every fifth block.
        let changes: [ChainChange] =
          block % 5 == 0
          ? [.join(EthereumAddress(unchecked: [UInt8](repeating: 0x70 + UInt8(block), count: 20)), ChainRig.aggregators)] : []
        let head = try await chain.mine(changes).number
        for task in 0..<50 {
          let set = OperatorSet(avs: services[task % 3], id: 1)
          #expect(try await rig.code(of: ChainRig.draft(head, set: set)) == nil)
        }
      }
      let requests = try await chain.stats()[0].requests
      print("load: 1000 tasks over 20 blocks of 3 AVSs cost \(requests) requests")
      #expect(requests < 20 * 3 * 2)
    }
  }

  @Test("adds little to a task whose facts are known")
  func addsLittleToTaskWhoseFactsAreKnown() async throws {
    try await ChainRig.running { rig in
      let claim = SubmissionClaim(
        operatorSet: ChainRig.set, aggregator: ChainRig.aggregator.address, block: 0, signature: [UInt8](repeating: 1, count: 64),
        digest: Digest32(unchecked: [UInt8](repeating: 2, count: 32)), isSignedBy: { _ in true })
      _ = try await rig.registry.standing(of: claim)
      let start = ContinuousClock.now
      for _ in 0..<10_000 { _ = try await rig.registry.standing(of: claim) }
      let each = (ContinuousClock.now - start) / 10_000
      print("a verdict that is known takes \(each)")
      // A debug build on a machine that is shared; docs/performance.md has the figure of a release build.
      #expect(each < .microseconds(200))
    }
  }

  @Test("refuses who is not registered, whatever key he has")
  func refusesWhoIsNotRegistered() async throws {
    try await ChainRig.running { rig in
      #expect(try await rig.code(by: Self.second) == "aggregator_not_registered")
      // A registered key is not membership.
      try await rig.chain.mine([.key(Self.second.address, ChainRig.aggregators, Self.second.key)])
      _ = try await rig.follow()
      #expect(try await rig.code(by: Self.second) == "aggregator_not_registered")
      try await rig.chain.mine([.join(Self.second.address, ChainRig.aggregators)])
      _ = try await rig.follow()
      #expect(try await rig.code(by: Self.second) == nil)
    }
  }

  @Test("refuses an aggregator that left at once, whatever block it names")
  func refusesAggregatorThatLeftAtOnce() async throws {
    try await ChainRig.running { rig in
      let before = try await rig.follow()
      #expect(try await rig.code(of: ChainRig.draft(before)) == nil)
      try await rig.chain.mine([.leave(ChainRig.aggregator.address, ChainRig.aggregators)])
      let after = try await rig.follow()
      for block in [0, before, after] { #expect(try await rig.code(of: ChainRig.draft(block)) == "aggregator_not_registered") }
    }
  }

  @Test("takes a replaced key for submissions of earlier blocks for a grace, and from its block on the new one")
  func takesReplacedKeyForSubmissionsOfEarlierBlocks() async throws {
    var settings = ChainOperatorSetRegistry.Settings()
    settings.rotationGrace = 5
    try await ChainRig.running(settings: settings) { rig in
      let before = try await rig.follow()
      let new = TestAggregator(address: ChainRig.aggregator.address, key: TestKeys.stranger(.ecdsa))
      try await rig.chain.mine([.key(new.address, ChainRig.aggregators, new.key)])
      let after = try await rig.follow()
      #expect(try await rig.code(of: ChainRig.draft(before)) == nil)
      #expect(try await rig.code(of: ChainRig.draft(after)) == "bad_signature")
      #expect(try await rig.code(of: ChainRig.draft(after), by: new) == nil)
      #expect(try await rig.code(of: ChainRig.draft(before), by: new) == "bad_signature")
      try await rig.chain.mine(blocks: 5)
      _ = try await rig.follow()
      #expect(try await rig.code(of: ChainRig.draft(before)) == "aggregator_key_replaced")
      #expect(try await rig.code(by: new) == nil)
    }
  }

  @Test("says what is missing of this operator itself")
  func saysWhatIsMissingOfThisOperatorItself() async throws {
    try await ChainRig.running { rig in
      try await rig.chain.mine([.key(ChainRig.operatorAddress, ChainRig.set, TestKeys.stranger(.ecdsa))])
      _ = try await rig.follow()
      #expect(try await rig.code() == "signing_key_differs")
      try await rig.chain.mine([.leave(ChainRig.operatorAddress, ChainRig.set)])
      _ = try await rig.follow()
      #expect(try await rig.code() == "operator_not_in_set")
      #expect(try await rig.code(of: ChainRig.draft(set: OperatorSet(avs: ChainRig.avs, id: 9))) == "unknown_operator_set")
    }
  }

  @Test("chooses the key of the set, before that of the AVS and that of the operator")
  func choosesKeyOfSet() {
    let keys = KeyRing(scoped: [
      (.all, TestKeys.executor(.ecdsa).signer), (.avs(ChainRig.avs), TestKeys.aggregator(.ecdsa).signer),
      (.set(ChainRig.set), TestKeys.stranger(.ecdsa).signer),
    ])
    #expect(keys.key(.ecdsa, for: ChainRig.set)?.verificationKey == TestKeys.stranger(.ecdsa).verificationKey)
    #expect(keys.key(.ecdsa, for: ChainRig.aggregators)?.verificationKey == TestKeys.aggregator(.ecdsa).verificationKey)
    let other = OperatorSet(avs: ChainRig.operatorAddress, id: 1)
    #expect(keys.key(.ecdsa, for: other)?.verificationKey == TestKeys.executor(.ecdsa).verificationKey)
    #expect(keys.key(.bn254, for: other) == nil)
  }

  @Test("bounds the age of blocks, and waits for one that is about to come")
  func boundsAgeOfBlocks() async throws {
    var settings = ChainOperatorSetRegistry.Settings()
    settings.maxBlockAge = .seconds(60)
    try await ChainRig.running(settings: settings) { rig in
      let head = try await rig.follow()
      #expect(try await rig.code(of: ChainRig.draft(head - 4)) != "block_too_old")
      #expect(try await rig.code(of: ChainRig.draft(head - 10)) == "block_too_old")
      async let waiting = rig.code(of: ChainRig.draft(head + 1))
      try await rig.chain.mine()
      #expect(try await waiting == nil)
      #expect(try await rig.code(of: ChainRig.draft(head + 1_000)) == "block_unknown")
    }
  }

  @Test("forgets what a reorganisation removed")
  func forgetsWhatReorganisationRemoved() async throws {
    try await ChainRig.running { rig in
      try await rig.chain.mine([
        .key(Self.second.address, ChainRig.aggregators, Self.second.key), .join(Self.second.address, ChainRig.aggregators),
      ])
      let block = try await rig.follow()
      #expect(try await rig.code(of: ChainRig.draft(block), by: Self.second) == nil)
      try await rig.chain.reorganise(depth: 1, blocks: 2)
      _ = try await rig.follow()
      #expect(try await rig.code(of: ChainRig.draft(block), by: Self.second) == "aggregator_not_registered")
      #expect(try await rig.code(of: ChainRig.draft(block)) == nil)
    }
  }

  @Test("does not notice one bad endpoint", arguments: TestChain.Fault.allCases.filter { $0 != .disagree && $0 != .none })
  func doesNotNoticeOneBadEndpoint(fault: TestChain.Fault) async throws {
    try await ChainRig.running(endpoints: 2) { rig in
      try await rig.chain.fail(fault, seconds: 1, endpoints: [0])
      for _ in 0..<3 {
        let block = try await rig.chain.mine().number
        let start = ContinuousClock.now
        #expect(try await rig.code(of: ChainRig.draft(block)) == nil)
        #expect(ContinuousClock.now - start < .seconds(3))
      }
    }
  }

  @Test("believes nobody where endpoints disagree")
  func believesNobodyWhereEndpointsDisagree() async throws {
    try await ChainRig.running(endpoints: 2, agreement: 2) { rig in
      #expect(try await rig.code() == nil)
      try await rig.chain.fail(.disagree, endpoints: [1])
      #expect(try await rig.code(by: Self.second) == "chain_unavailable")
    }
    try await ChainRig.running(endpoints: 3, agreement: 2) { rig in
      try await rig.chain.fail(.disagree, endpoints: [1])
      #expect(try await rig.code() == nil)
    }
  }

  @Test("goes on with what it knows while nobody answers, for as long as it may")
  func goesOnWithWhatItKnowsWhileNobodyAnswers() async throws {
    try await ChainRig.running { rig in
      let head = try await rig.follow()
      #expect(try await rig.code(of: ChainRig.draft(head)) == nil)
      try await rig.chain.fail(.refuse)
      #expect(try await rig.code(of: ChainRig.draft(head)) == nil)
      #expect(try await rig.code(of: ChainRig.draft(head + 1)) == nil)
      #expect(try await rig.code(by: Self.second) == "chain_unavailable")
      try await rig.chain.fail(.none)
      try await eventually { try await rig.code(by: Self.second) == "aggregator_not_registered" }
    }
  }

  @Test("knows how long silence may last", arguments: [(5, 0, "live"), (60, 600, "stale"), (60, 0, "lost"), (700, 600, "lost")])
  func knowsHowLongSilenceMayLast(silence: Int, maxStale: Int, standing: String) {
    let status = ChainReader.HeadStatus(
      head: ChainRegistryTests.block, silence: .seconds(silence), lastError: nil, sinceFailure: nil, secondsPerBlock: 12)
    #expect("\(ChainFreshness(maxStale: .seconds(maxStale)).standing(status))" == standing)
  }

  @Test("keeps forged submissions from costing requests or delaying honest ones")
  func keepsForgedSubmissionsFromCostingRequests() async throws {
    try await ChainRig.running { rig in
      #expect(try await rig.code() == nil)
      try await rig.chain.reset()
      let start = ContinuousClock.now
      try await withThrowingTaskGroup(of: String?.self) { group in
        for index in 0..<1_000 {
          group.addTask {
            let address = EthereumAddress(unchecked: [UInt8(index >> 8), UInt8(index & 255)] + [UInt8](repeating: 7, count: 18))
            return try await rig.code(by: TestAggregator(address: address, key: TestKeys.stranger(.ecdsa)))
          }
        }
        var honest: [Duration] = []
        for _ in 0..<20 {
          let begun = ContinuousClock.now
          #expect(try await rig.code() == nil)
          honest.append(.now - begun)
        }
        print("forged load: honest tasks took \(honest.max() ?? .zero) at most")
        for try await code in group { #expect(["aggregator_not_registered", "aggregator_lookups_limited"].contains(code)) }
      }
      let requests = try await rig.chain.stats()[0].requests
      print("forged load: 1000 submissions in \(ContinuousClock.now - start) cost \(requests) requests")
      #expect(requests <= 40)
    }
  }

  @Test("refuses tasks that the mailbox does not have as they were submitted")
  func refusesTasksThatMailboxDoesNotHaveAsThey() async throws {
    try await ChainRig.running(checks: [ChainRig.avs: .full]) { rig in
      let draft = ChainRig.draft()
      #expect(try await rig.code(of: draft) == "task_not_on_chain")
      try await rig.chain.mine([
        .task(draft.id, ChainRig.set, payload: draft.payload, timestamp: draft.referenceTimestamp, sla: 120)
      ])
      #expect(try await rig.code(of: draft) == nil)
      var other = draft
      other.payload = [1]
      #expect(try await rig.code(of: other) == "task_differs")
      try await rig.chain.mine(blocks: 11)
      #expect(try await rig.code(of: draft) == "task_expired_on_chain")
      let done = ChainRig.draft()
      try await rig.chain.mine([
        .task(done.id, ChainRig.set, payload: done.payload, timestamp: done.referenceTimestamp), .verify(done.id),
      ])
      #expect(try await rig.code(of: done) == "task_finished")
    }
  }
}
