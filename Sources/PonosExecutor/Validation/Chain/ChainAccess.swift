import Logging
import PonosChain
import PonosConfiguration
import PonosCore
import PonosCrypto
import PonosTelemetry

/// What the configuration needs of the chain: endpoints, what is known through them, and the mailbox.
package struct ChainAccess: Sendable {
  package let config: ChainConfig
  package let reader: ChainReader
  /// nil when no AVS wants its tasks checked.
  package let mailbox: TaskMailboxCheck?

  /// nil when every AVS has a registry and none wants its tasks checked: then nobody is asked.
  package static func open(
    _ config: ExecutorConfig, observe: @escaping @Sendable (EndpointEvent) -> Void = { _ in }
  ) throws(EndpointSetupError) -> ChainAccess? {
    guard config.avs.contains(where: \.needsChain) else { return nil }
    return try ChainAccess(config, observe: observe)
  }

  /// The same whether or not the configuration needs it.
  package init(
    _ config: ExecutorConfig, observe: @escaping @Sendable (EndpointEvent) -> Void = { _ in }
  ) throws(EndpointSetupError) {
    let chain = config.chain
    let pool = try EndpointPool(
      urls: chain.rpcURLs, settings: EndpointPool.Settings(chainID: chain.chainID), caFile: chain.caFile, observe: observe)
    self.config = chain
    reader = ChainReader(pool: pool, agreement: chain.agreement)
    mailbox = try Self.mailbox(config, l1: pool, observe)
  }

  private static func mailbox(
    _ config: ExecutorConfig, l1: EndpointPool, _ observe: @escaping @Sendable (EndpointEvent) -> Void
  ) throws(EndpointSetupError) -> TaskMailboxCheck? {
    let checks = config.avs.filter { $0.taskCheck != .none }.map { ($0.address, $0.taskCheck) }
    guard !checks.isEmpty, let mailbox = config.chain.taskMailbox else { return nil }
    let pool =
      mailbox.rpcURLs.isEmpty
      ? l1
      : try EndpointPool(
        urls: mailbox.rpcURLs, settings: EndpointPool.Settings(chainID: mailbox.chainID), caFile: config.chain.caFile,
        observe: observe)
    return TaskMailboxCheck(
      pool: pool, mailbox: mailbox.address, agreement: min(config.chain.agreement, pool.hosts.count),
      checks: Dictionary(checks, uniquingKeysWith: { first, _ in first }))
  }

  /// Reads the chain for the first time. Throws for a domain that differs; a chain that does not answer yet is waited for later.
  package func prepare(_ logger: Logger) async throws(DomainCheckError) {
    do throws(ChainError) { try await reader.advance() } catch {
      logger.warning(
        "the chain does not answer; tasks of AVSs without a registry are refused until it does",
        metadata: [LogKey.error: "\(error)"])
      return
    }
    do throws(DomainCheckError) { try await checkDomain() } catch {
      guard case .unanswered(let cause) = error else { throw error }
      logger.warning("the domain of certificates is not confirmed by the chain yet", metadata: [LogKey.error: "\(cause)"])
    }
  }

  /// The registry of the AVSs without a static one; nil where there are none, or where the contracts are not known.
  package func registry(_ config: ExecutorConfig) -> ChainOperatorSetRegistry? {
    let avs = config.avs.filter { $0.registry == nil }.map(\.address)
    guard !avs.isEmpty, let manager = self.config.allocationManager, let keys = self.config.keyRegistrar else { return nil }
    var settings = ChainOperatorSetRegistry.Settings()
    settings.maxBlockAge = self.config.maxBlockAge
    settings.rotationGrace = self.config.rotationGrace
    settings.maxStale = self.config.maxStale
    return ChainOperatorSetRegistry(
      reader: reader, allocationManager: manager, keyRegistrar: keys, operatorAddress: config.identity.address, avs: Set(avs),
      curves: { set in Set(SignatureCurve.allCases.filter { config.hasKey(of: $0, for: set) }) }, settings: settings)
  }

  /// Throws when the certificate verifier has another domain than the one that results are signed for here.
  package func checkDomain() async throws(DomainCheckError) {
    let verifier = config.ecdsaCertificateVerifier
    let call = ECDSACertificateVerifier(address: verifier).domainSeparator()
    let onChain: Digest32
    do throws(ReadError) {
      guard let head = reader.head else { return }
      onChain = try await reader.decide(at: head) { (lookup) throws(ContractError) in try lookup.answer(call) }
    } catch {
      switch error {
      case .chain(let error): throw .unanswered(error)
      case .contract(let error): throw .differs(error.description)
      }
    }
    let ours = CertificateVerifiers.domainSeparator(verifier: verifier)
    guard onChain == ours else {
      throw .differs(
        "the ECDSACertificateVerifier at \(verifier) has the domain separator \(onChain), and results are signed for \(ours)")
    }
  }
}

/// Whether results are signed for the right domain is not known, or known not to be.
package enum DomainCheckError: Error, Sendable, CustomStringConvertible {
  /// Nobody could tell.
  case unanswered(ChainError)
  /// No certificate that is signed here would be accepted.
  case differs(String)

  package var description: String {
    switch self {
    case .unanswered(let error): error.description
    case .differs(let what): "\(what); correct contracts.ecdsaCertificateVerifier or l1Chain.chainId"
    }
  }
}
