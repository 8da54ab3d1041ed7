import PonosCore
import PonosCrypto

/// Everything the daemon is told, checked and with defaults filled in. Values only; `ConfigurationLoader` makes it.
package struct ExecutorConfig: Sendable, Equatable {
  /// Log at debug level.
  package var debug = ServerKeys.debug.standard
  /// Port of `ExecutorService`; 0 lets the system choose.
  package var taskPort: Int
  /// Port of `ExecutorManagementService`; equal to `taskPort` when both share one listener.
  package var managementPort: Int
  /// Address both gRPC listeners bind to.
  package var listenAddress = ServerKeys.listenAddress.standard
  /// Docker network that performers join; nil when each AVS gets a network of its own.
  package var performerNetworkName: String?
  package var identity: OperatorIdentity
  package var chain: ChainConfig
  package var avs: [AVSConfig]
  package var storage: StorageConfig
  package var storeKeeping = StoreKeepingConfig()
  package var operations = OperationsConfig()
  package var queue = QueueConfig()
  /// Aggregators this executor dials, one session each.
  package var aggregators: [AggregatorConfig] = []
  package var streams = StreamConfig()
  package var management = ManagementConfig()
  /// Whether management calls must carry a signed challenge token.
  package var managementAuthentication = ServerKeys.authentication.standard

  /// Path of the audit log; nil when none is named and nothing is kept on disk.
  package var auditLogPath: String? {
    if let path = storeKeeping.auditLog { return path }
    return if case .sqlite(let path) = storage { path + ".audit.jsonl" } else { nil }
  }

  /// Identifies this daemon among others on the host when no database does: `memory-` and 32 hex digits, a hash of operator, chain and
  /// ports. nil when the system chooses a port, because such a daemon is never the same twice.
  package var memoryInstallationID: String? {
    guard taskPort != 0, managementPort != 0 else { return nil }
    let text = "\(identity.address)/\(chain.chainID)/\(taskPort)/\(managementPort)"
    return "memory-" + Hex.encode(Keccak256.hash(Array(text.utf8)).bytes.prefix(16))
  }

  /// The configuration of one AVS; nil for an AVS the file does not name.
  package func avs(_ address: EthereumAddress) -> AVSConfig? {
    avs.first { $0.address == address }
  }

  /// The configuration of one AVS; the defaults for an AVS the file does not name.
  package func settings(for address: EthereumAddress) -> AVSConfig {
    avs(address) ?? AVSConfig(address: address)
  }

  /// Each AVS's share of the turns.
  package var weights: [EthereumAddress: Int] {
    Dictionary(avs.map { ($0.address, $0.weight) }, uniquingKeysWith: { first, _ in first })
  }

  /// What each configured AVS grants its performers.
  package var allotments: [EthereumAddress: PerformerAllotment] {
    Dictionary(
      avs.map { avs in
        let allotment = PerformerAllotment(
          concurrency: avs.concurrency, limits: avs.limits, interface: avs.interface, replicas: avs.replicas)
        return (avs.address, allotment)
      },
      uniquingKeysWith: { first, _ in first })
  }

  /// How often tasks may be submitted, by AVS.
  package var submissionLimits: [EthereumAddress: SubmissionLimits] {
    Dictionary(avs.map { ($0.address, $0.submissionLimits) }, uniquingKeysWith: { first, _ in first })
  }
}

/// Who this executor is: the operator's address and the keys it signs with.
package struct OperatorIdentity: Sendable, Equatable {
  package var address: EthereumAddress
  /// Signs for operator sets of curve ECDSA; nil when the operator has no such key.
  package var ecdsaKey: KeySource?
  /// Signs for operator sets of curve BN254; nil when the operator has no such key.
  package var bn254Key: KeySource?
}

/// Keys that are used for some operator sets instead of the operator's own.
package struct SigningKeySources: Sendable, Equatable {
  /// nil leaves the key of the wider scope in use.
  package var ecdsa: KeySource?
  /// nil leaves the key of the wider scope in use.
  package var bn254: KeySource?

  package init(ecdsa: KeySource? = nil, bn254: KeySource? = nil) {
    self.ecdsa = ecdsa
    self.bn254 = bn254
  }

  package subscript(curve: SignatureCurve) -> KeySource? {
    switch curve {
    case .ecdsa: ecdsa
    case .bn254: bn254
    }
  }
}

extension ExecutorConfig {
  /// Whether there is a key of `curve` for `set`: its own, that of its AVS, or the operator's.
  package func hasKey(of curve: SignatureCurve, for set: OperatorSet) -> Bool {
    let avs = avs(set.avs)
    let own = SigningKeySources(ecdsa: identity.ecdsaKey, bn254: identity.bn254Key)
    return avs?.operatorSetKeys[set.id]?[curve] != nil || avs?.signingKeys[curve] != nil || own[curve] != nil
  }
}

/// Where a signing key comes from.
package enum KeySource: Sendable, Equatable {
  /// Hex digits of the private key.
  case hex(SecretBytes)
  /// A keystore file (EIP-2335 v4 or Web3 v3) and its password.
  case keystoreFile(path: String, password: SecretBytes)
  /// The JSON text of a keystore and its password.
  case keystoreText(SecretBytes, password: SecretBytes)
}

package struct ChainConfig: Sendable, Equatable {
  /// L1 chain id; selects the certificate verifier.
  package var chainID: UInt64
  /// Endpoints in order of preference, with what access keys they carry; none while every AVS has a static registry.
  package var rpcURLs: [String]
  /// PEM file of certificates that are trusted besides the system's.
  package var caFile: String?
  /// Endpoints that have to give the same answer, at least 1.
  package var agreement = 1
  /// Oldest block that a submission may name.
  package var maxBlockAge = Duration.seconds(7 * 86400)
  /// Blocks after the replacement of a key for which it is still good for submissions of earlier blocks.
  package var rotationGrace: UInt64 = 64
  /// How long known facts stay good while no endpoint answers.
  package var maxStale = Duration.seconds(600)
  /// The contract whose address is part of ECDSA certificate digests.
  package var ecdsaCertificateVerifier: EthereumAddress
  /// nil on a chain without a known deployment.
  package var allocationManager: EthereumAddress?
  /// nil on a chain without a known deployment.
  package var keyRegistrar: EthereumAddress?
  /// nil when there is none known.
  package var taskMailbox: TaskMailboxConfig?

  package init(chainID: UInt64, rpcURLs: [String] = [], ecdsaCertificateVerifier: EthereumAddress) {
    self.chainID = chainID
    self.rpcURLs = rpcURLs
    self.ecdsaCertificateVerifier = ecdsaCertificateVerifier
    let known = EigenLayerDeployment.known(chainID: chainID)
    allocationManager = known?.allocationManager
    keyRegistrar = known?.keyRegistrar
  }
}

/// The mailbox that knows which tasks there are.
package struct TaskMailboxConfig: Sendable, Equatable {
  package var chainID: UInt64
  /// Empty for a mailbox on L1, which is read through the endpoints of that.
  package var rpcURLs: [String]
  package var address: EthereumAddress
}

/// One entry of `avsPerformers`.
package struct AVSConfig: Sendable, Equatable {
  package var address: EthereumAddress
  /// The performer to deploy at start; nil when it comes by DeployArtifact.
  package var performer: PerformerSpec?
  /// When a registry is asked for the image of a deployed performer; the same as for the performer deployed at start.
  package var pullPolicy: PullPolicy { performer?.pullPolicy ?? AVSKeys.pullPolicy.standard }
  /// Tasks given to one performer at a time.
  package var concurrency = AVSKeys.concurrency.standard
  /// Time from the acceptance of a task to its answer.
  package var taskTimeout = AVSKeys.taskTimeout.standard
  /// Bytes a task's payload may have.
  package var maxPayloadBytes = AVSKeys.maxPayloadBytes.standard
  /// Share of the turns its tasks get while several AVSs wait.
  package var weight = AVSKeys.weight.standard
  /// How often its tasks may be submitted.
  package var submissionLimits = SubmissionLimits()
  /// When a performer that fails its tasks is left alone.
  package var circuitBreaker = CircuitBreaker.Settings.standard
  /// Performers that serve it at a time.
  package var replicas = AVSKeys.replicas.standard
  package var balancing = AVSKeys.balancing.standard
  /// What its performers speak, and where.
  package var interface = PerformerInterface.standard
  /// What its outputs must look like.
  package var responseRules = ResponseRules.none
  /// Limits of every container of this AVS, however it was deployed.
  package var limits = ResourceLimits.standard
  /// Operator sets and aggregator keys, instead of reads from L1.
  package var registry: StaticRegistryConfig?
  /// Keys for this AVS, before the operator's.
  package var signingKeys = SigningKeySources()
  /// Keys for single operator sets, before all others.
  package var operatorSetKeys: [UInt32: SigningKeySources] = [:]
  /// What the mailbox has to know of its tasks.
  package var taskCheck = TaskCheck.none

  /// Whether the chain is read for it.
  package var needsChain: Bool { registry == nil || taskCheck != .none }
}

/// What L1 would say about an AVS.
package struct StaticRegistryConfig: Sendable, Equatable {
  package struct ExecutorSet: Sendable, Equatable {
    package var id: UInt32
    package var curve: SignatureCurve
  }

  package enum AggregatorKey: Sendable, Equatable {
    /// Address of the ECDSA key that signs for the aggregator.
    case ecdsa(signingAddress: EthereumAddress)
    /// BN254 public key, 128 bytes: G2 point, uncompressed, imaginary parts first.
    case bn254(publicKey: [UInt8])
  }

  package struct Aggregator: Sendable, Equatable {
    /// Operator address, as submissions name it.
    package var address: EthereumAddress
    package var key: AggregatorKey
  }

  package var executorOperatorSets: [ExecutorSet]
  package var aggregators: [Aggregator]
}

package enum StorageConfig: Sendable, Equatable {
  /// Nothing survives the process.
  case memory
  /// A SQLite database file.
  case sqlite(path: String)
}

/// What is kept in the store and beside it, and for how long.
package struct StoreKeepingConfig: Sendable, Equatable {
  /// How long finished tasks are kept, so that a retry gets the same answer.
  package var retention = StorageKeys.retention.standard
  /// How long signed digests are kept once their tasks are gone; nil for ever.
  package var digestRetention: Duration?
  /// nil without scheduled backups.
  package var backup: BackupConfig?
  /// Path of the audit log; nil for a file beside the database.
  package var auditLog: String?
}

/// Scheduled backups of the database.
package struct BackupConfig: Sendable, Equatable {
  package var directory: String
  package var interval: Duration
  /// Copies that are kept, at least 1.
  package var keep: Int

  package init(directory: String, interval: Duration, keep: Int) {
    self.directory = directory
    self.interval = interval
    self.keep = keep
  }
}

/// What management calls may do.
package struct ManagementConfig: Sendable, Equatable {
  /// Whether callers of other hosts may manage while authentication is disabled.
  package var allowsRemote = ManagementKeys.allowRemote.standard
  /// Variables of the daemon's environment that deployments by the API may give to performers.
  package var sharedVariables: Set<String> = []
}

/// Where the operations HTTP server listens.
package struct OperationsConfig: Sendable, Equatable {
  package var address = OperationsKeys.address.standard
  /// 0 lets the system choose.
  package var port = OperationsKeys.port.standard
  /// Names the server answers to beside those of the loopback interface, in lower case.
  package var hosts: Set<String> = []
}

/// An aggregator that this executor dials for a session of one AVS.
package struct AggregatorConfig: Sendable, Equatable {
  /// Host name or IP address.
  package var host: String
  package var port: Int
  /// Whom the session is with.
  package var owner: TaskOwner

  package init(host: String, port: Int, owner: TaskOwner) {
    self.host = host
    self.port = port
    self.owner = owner
  }
}

/// Bounds of task streams.
package struct StreamConfig: Sendable, Equatable {
  /// Our longest silence.
  package var heartbeat = StreamKeys.heartbeat.standard
  /// Submissions of a session that no place was found for yet.
  package var maxCredit = StreamKeys.maxCredit.standard
  /// Outcomes of a session that were sent and not acknowledged.
  package var maxUnacknowledged = StreamKeys.maxUnacknowledged.standard

  package init() {}
}

/// How many accepted tasks may wait, and what happens beyond.
package struct QueueConfig: Sendable, Equatable {
  package var maxPerAVS = QueueKeys.maxPerAVS.standard
  package var maxTotal = QueueKeys.maxTotal.standard
  package var overflow = QueueKeys.overflow.standard
}
