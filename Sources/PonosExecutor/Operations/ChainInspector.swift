import PonosChain
import PonosConfiguration
import PonosCore
import PonosCrypto

/// Looks at the chain for people: what is registered for an AVS, and what is missing for its tasks to be accepted.
package struct ChainInspector: Sendable {
  private let access: ChainAccess
  private let config: ExecutorConfig
  /// nil when the keys are not to be compared.
  private let keys: KeyRing?

  package init(_ access: ChainAccess, config: ExecutorConfig, keys: KeyRing?) {
    self.access = access
    self.config = config
    self.keys = keys
  }

  /// Endpoints, head, and the domain that certificates are signed for.
  package func status() async -> ChainStatusReport {
    await access.reader.pool.probe()
    var problems: [String] = []
    do throws(ChainError) { try await access.reader.advance() } catch { problems.append(error.description) }
    do throws(DomainCheckError) { try await access.checkDomain() } catch { problems.append(error.description) }
    let answering = access.reader.pool.snapshots().count { $0.phase == .serving }
    if answering < access.reader.agreement {
      problems.append("\(answering) endpoints answer, and l1Chain.agreement demands \(access.reader.agreement)")
    }
    return ChainStatusReport(
      chainID: access.config.chainID, agreement: access.reader.agreement, head: access.reader.head?.number,
      headTimestamp: access.reader.head?.timestamp,
      endpoints: access.reader.pool.snapshots().map { EndpointView($0, now: .now) }, problems: problems)
  }

  /// What the contracts say of `avs`, as of the newest block.
  package func inspect(_ avs: EthereumAddress) async -> AVSChainReport {
    var report = AVSChainReport(avs: avs)
    guard let manager = access.config.allocationManager, let registrar = access.config.keyRegistrar else {
      report.problems.append(
        "EigenLayer's contracts on this chain are not known; set contracts.allocationManager and contracts.keyRegistrar")
      return report
    }
    do throws(ReadError) { try await fill(&report, AllocationManager(address: manager), KeyRegistrar(address: registrar)) } catch
    {
      switch error {
      case .chain(let error): report.problems.append(error.description)
      case .contract(let error):
        report.problems.append("\(error); the AVS has to set a registrar that names its operator sets")
      }
    }
    return report
  }

  private func fill(
    _ report: inout AVSChainReport, _ manager: AllocationManager, _ registrar: KeyRegistrar
  ) async throws(ReadError) {
    guard let head = access.reader.head else {
      report.problems.append("no endpoint of the chain answers")
      return
    }
    let reader = ChainFactsReader(manager: manager, keys: registrar, operatorAddress: config.identity.address)
    let avs = report.avs
    let configuration = try await access.reader.decide(at: head) { (lookup) throws(ContractError) in
      try reader.configuration(of: avs, &lookup)
    }
    let aggregators = OperatorSet(avs: avs, id: configuration.aggregatorSet)
    report.aggregatorSet = aggregators.id
    let members = try await access.reader.decide(at: head) { (lookup) throws(ContractError) in
      try lookup.answer(manager.members(of: aggregators))
    }
    for member in members.prefix(Self.memberLimit) {
      let facts = try await self.member(member, of: aggregators, at: head, reader)
      report.aggregators.append(AggregatorReport(address: member, curve: facts.curve, key: facts.key?.description))
    }
    if !report.aggregators.contains(where: { $0.key != nil }) {
      report.problems.append("no aggregator in set \(aggregators.id) has a key; nobody can submit tasks until one registers")
    }
    for id in configuration.executorSets {
      let set = OperatorSet(avs: avs, id: id)
      report.executorSets.append(setReport(set, try await member(config.identity.address, of: set, at: head, reader)))
    }
    if !report.executorSets.contains(where: { $0.problem == nil }) {
      report.problems.append("tasks are refused in every operator set: see what is missing there")
    }
  }

  /// Aggregators that are shown; public sets have a handful.
  private static let memberLimit = 100

  private func member(
    _ address: EthereumAddress, of set: OperatorSet, at head: BlockHeader, _ reader: ChainFactsReader
  ) async throws(ReadError) -> SetMember {
    try await access.reader.decide(at: head) { (lookup) throws(ContractError) in
      try reader.member(address, of: set, &lookup)
    }
  }

  private func setReport(_ set: OperatorSet, _ member: SetMember) -> ExecutorSetReport {
    ExecutorSetReport(
      id: set.id, curve: member.curve, isMember: member.isMember, registeredKey: member.key?.description,
      problem: problem(set, member))
  }

  /// What keeps tasks of the set from being accepted, and what to do; nil for nothing.
  private func problem(_ set: OperatorSet, _ member: SetMember) -> String? {
    guard let curve = member.curve else { return "the set has no curve; the AVS has to configure one in the KeyRegistrar" }
    guard member.isMember else {
      return "the operator is not in the set; register it for set \(set.id) in the AllocationManager"
    }
    guard let registered = member.key else {
      return "no key is registered; register the \(curve.rawValue) key in the KeyRegistrar"
    }
    guard config.hasKey(of: curve, for: set) else {
      return "no \(curve.rawValue) key is configured for it; add it to operator.signingKeys or operatorSetKeys"
    }
    guard let keys, let own = keys.key(curve, for: set)?.verificationKey else { return nil }
    return registered.isPublicPart(of: own) ? nil : "the configured key is \(own), another one; configure the registered key"
  }

  /// What the mailbox has of a task.
  package func task(_ id: TaskID) async throws(Rejection) -> MailboxTask? {
    guard let mailbox = config.chain.taskMailbox else {
      throw .chain(.unavailable(problem: "no mailbox is known; set taskMailbox.address"))
    }
    let pool: EndpointPool
    if mailbox.rpcURLs.isEmpty {
      pool = access.reader.pool
    } else {
      do throws(EndpointSetupError) {
        pool = try EndpointPool(
          urls: mailbox.rpcURLs, settings: .init(chainID: mailbox.chainID), caFile: config.chain.caFile)
      } catch {
        throw .chain(.unavailable(problem: error.description))
      }
    }
    return try await TaskMailboxCheck(pool: pool, mailbox: mailbox.address, agreement: 1, checks: [:]).info(of: id)
  }
}

/// How the chain can be read.
package struct ChainStatusReport: Sendable, Codable {
  package var chainID: UInt64
  /// Endpoints that have to give the same answer.
  package var agreement: Int
  package var head: UInt64?
  /// Unix seconds.
  package var headTimestamp: UInt64?
  package var endpoints: [EndpointView]
  /// What is wrong, and what to do.
  package var problems: [String]
}

/// What the contracts say of an AVS.
package struct AVSChainReport: Sendable, Codable {
  package var avs: EthereumAddress
  package var aggregatorSet: UInt32?
  package var aggregators: [AggregatorReport] = []
  package var executorSets: [ExecutorSetReport] = []
  /// Why tasks of the AVS are refused, and what to do; empty when they are accepted.
  package var problems: [String] = []

  package init(avs: EthereumAddress) {
    self.avs = avs
  }
}

/// An aggregator of an AVS.
package struct AggregatorReport: Sendable, Codable {
  package var address: EthereumAddress
  package var curve: SignatureCurve?
  /// nil when it has registered none.
  package var key: String?
}

/// An executor operator set, and this operator in it.
package struct ExecutorSetReport: Sendable, Codable {
  package var id: UInt32
  package var curve: SignatureCurve?
  package var isMember: Bool
  package var registeredKey: String?
  /// Why its tasks are refused, and what to do; nil when they are accepted.
  package var problem: String?
}
