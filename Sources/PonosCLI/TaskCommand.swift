import ArgumentParser
import Foundation
import PonosAPI
import PonosCore
import PonosCrypto
import PonosTransport

/// `task`: sends tasks as an aggregator would.
struct TaskCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "task", abstract: "Sends tasks as an aggregator would.", subcommands: [TaskSubmitCommand.self])
}

extension EthereumAddress: ExpressibleByArgument {
  public init?(argument: String) { self.init(hex: argument) }
}

extension TaskID: ExpressibleByArgument {
  public init?(argument: String) { self.init(hex: argument) }
}

/// `task submit`.
struct TaskSubmitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "Submits signed tasks and verifies the answers.",
    discussion: """
      The answer's signatures are checked against the key the operator registered; give it by --executor-ecdsa-address or
      --executor-bn254-public-key. The exit status is 0 only when every answer came and verified.

      EXAMPLES
        ponos-executor task submit --avs 0x… --aggregator-address 0x… --executor-address 0x… --key-file aggregator.hex \\
          --executor-ecdsa-address 0x… --payload 0x04
        ponos-executor task submit … --count 1000 --concurrency 64 --retry -o json
        ponos-executor task submit … --stream --count 1000 --concurrency 256
        ponos-executor task submit … --listen 127.0.0.1:9100
      """)

  @Option(help: ArgumentHelp("Task port of the executor.", valueName: "host:port"))
  var endpoint = Endpoint(host: "127.0.0.1", port: 9090)

  @Option(help: ArgumentHelp("The AVS.", valueName: "0x…"))
  var avs: EthereumAddress

  @Option(help: ArgumentHelp("Executor operator set.", valueName: "id"))
  var operatorSetID: UInt32 = 1

  @Option(help: ArgumentHelp("Operator address of the aggregator.", valueName: "0x…"))
  var aggregatorAddress: EthereumAddress

  @Option(help: ArgumentHelp("Operator address of the executor.", valueName: "0x…"))
  var executorAddress: EthereumAddress

  @OptionGroup var key: SigningKeyOptions
  @OptionGroup var identity: ExecutorIdentityOptions
  @OptionGroup var payload: PayloadOptions

  @Option(help: ArgumentHelp("Id of the task (default: a random one for each).", valueName: "0x…"))
  var taskID: TaskID?

  @Option(help: ArgumentHelp("Timestamp of the operator table (default: now).", valueName: "unix seconds"))
  var referenceTimestamp: UInt32?

  @Option(help: ArgumentHelp("L1 block the aggregator looked at; 0 is the latest.", valueName: "block"))
  var taskBlockNumber: UInt64 = 0

  @Option(help: "How many tasks to submit.")
  var count = 1

  @Option(help: "How many tasks to have out at a time.")
  var concurrency = 1

  @Option(help: ArgumentHelp("Give a task up after this long; --retry has its own times.", valueName: "seconds"))
  var timeout = 100

  @Flag(help: "Send again as a stock aggregator does: 10 s per attempt, five retries.")
  var retry = false

  @OptionGroup var streams: StreamOptions
  @OptionGroup var format: OutputOptions

  func validate() throws {
    if retry && streams.isWanted { throw ValidationError("--retry is for calls; streams repeat what they have to by themselves") }
    guard count >= 1, concurrency >= 1 else { throw ValidationError("--count and --concurrency are at least 1") }
    if taskID != nil && count > 1 { throw ValidationError("--task-id is for one task; leave it out with --count") }
  }

  func run() async throws {
    guard let signingKey = try key.load() else {
      throw CommandFailure("the aggregator's key is missing: give --key-file or --keystore, and --curve")
    }
    let run = SubmissionRun(
      plan: SubmissionPlan(
        key: signingKey, aggregator: aggregatorAddress, operatorSet: OperatorSet(avs: avs, id: operatorSetID),
        executor: executorAddress, payload: try payload.bytes(),
        referenceTimestamp: referenceTimestamp ?? UInt32(Date().timeIntervalSince1970), blockNumber: taskBlockNumber),
      verifier: try identity.verifier(), concurrency: concurrency, timeout: .seconds(timeout),
      retry: retry ? StockRetry() : nil, urgency: streams.urgency)
    let summary = try await submit(taskID.map { [$0] } ?? (0..<count).map { _ in SubmissionPlan.randomID() }, run)
    try SubmissionReport(summary).print(as: format.output)
    let isComplete = summary.failed == 0
    if !isComplete { throw ExitCode.failure }
  }

  private func submit(_ ids: [TaskID], _ run: SubmissionRun) async throws -> SubmissionSummary {
    let progress = SubmissionProgress(total: ids.count)
    let start = ContinuousClock.now
    let outcomes =
      if let route = streams.route(to: endpoint) {
        try await StreamRun(submissions: run).run(ids, over: route) { progress.count($0) }
      } else {
        try await endpoint.withClient { client in
          try await run.run(ids, over: SubmissionRun.Stub(wrapping: client)) { progress.count($0) }
        }
      }
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return SubmissionSummary(outcomes, seconds: Double(seconds) + Double(attoseconds) / 1e18)
  }
}

/// Options for task streams in place of a call per task, and for the urgency of tasks in both cases.
struct StreamOptions: ParsableArguments {
  @Flag(help: "Submit over a task stream.")
  var stream = false

  @Option(
    help: ArgumentHelp("Listen here for the executor to dial, and submit over the stream it opens.", valueName: "host:port"))
  var listen: Endpoint?

  @Option(help: "Priority among the tasks of the AVS: higher runs first.")
  var priority: Int32 = 0

  @Option(
    help: ArgumentHelp("Moment at which the answer is of no more use.", valueName: "unix milliseconds"))
  var deadline: Int64?

  var isWanted: Bool { stream || listen != nil }

  var urgency: TaskUrgency { TaskUrgency(priority: priority, deadline: deadline) }

  func validate() throws {
    if stream && listen != nil { throw ValidationError("give --stream or --listen, not both: one dials, the other is dialled") }
  }

  /// nil without a stream.
  func route(to endpoint: Endpoint) -> StreamRun.Route? {
    if let listen { return .listen(listen) }
    return stream ? .dial(endpoint) : nil
  }
}

/// Options for the key that the operator registered, which answers are checked against.
struct ExecutorIdentityOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Address of the executor's ECDSA signing key.", valueName: "0x…"))
  var executorEcdsaAddress: EthereumAddress?

  @Option(help: ArgumentHelp("The executor's BN254 public key: G2 point, 128 bytes of hex.", valueName: "0x…"))
  var executorBn254PublicKey: String?

  @Option(help: ArgumentHelp("L1 chain; selects the certificate verifier of ECDSA answers.", valueName: "id"))
  var chainID: UInt64 = 31337

  @Option(
    help: ArgumentHelp("The contract ECDSA answers are certified for, on a chain that is not known here.", valueName: "0x…"))
  var ecdsaCertificateVerifier: EthereumAddress?

  @Flag(help: "Take answers as they are.")
  var noVerify = false

  func validate() throws {
    if executorEcdsaAddress != nil && executorBn254PublicKey != nil {
      throw ValidationError(
        "give --executor-ecdsa-address or --executor-bn254-public-key, not both: an operator set has one curve")
    }
  }

  /// nil with `--no-verify`.
  func verifier() throws -> ResultVerifier? {
    if noVerify { return nil }
    if let executorEcdsaAddress { return .ecdsa(signer: executorEcdsaAddress, contract: try contract()) }
    guard let executorBn254PublicKey else {
      throw CommandFailure(
        "answers cannot be verified: give --executor-ecdsa-address or --executor-bn254-public-key, or --no-verify")
    }
    guard let bytes = Hex.decode(executorBn254PublicKey) else {
      throw CommandFailure("--executor-bn254-public-key is not hex; `keys show` prints it")
    }
    do throws(KeyError) { return .bn254(try BN254PublicKey(bytes: bytes)) } catch {
      throw CommandFailure("--executor-bn254-public-key: \(error.message)")
    }
  }

  private func contract() throws -> EthereumAddress {
    if let ecdsaCertificateVerifier { return ecdsaCertificateVerifier }
    guard let known = CertificateVerifiers.ecdsaAddress(chainID: chainID) else {
      throw CommandFailure(
        "--chain-id \(chainID) has no known certificate verifier: give --ecdsa-certificate-verifier "
          + "(known are 1, 8453, 11155111, 84532, 31337, 31338)")
    }
    return known
  }
}

/// Options for the payload.
struct PayloadOptions: ParsableArguments {
  @Option(help: "Payload as text.")
  var payload: String?

  @Option(help: ArgumentHelp("Payload as hex.", valueName: "0x…"))
  var payloadHex: String?

  @Option(help: ArgumentHelp("File whose bytes are the payload.", valueName: "file"))
  var payloadFile: String?

  func validate() throws {
    if [payload, payloadHex, payloadFile].count(where: { $0 != nil }) > 1 {
      throw ValidationError("give one of --payload, --payload-hex and --payload-file")
    }
  }

  func bytes() throws -> [UInt8] {
    if let payloadFile { return try SmallFile.read(payloadFile, what: "the payload file") }
    guard let payloadHex else { return Array((payload ?? "").utf8) }
    guard let bytes = Hex.decode(payloadHex) else { throw CommandFailure("--payload-hex is not hex") }
    return bytes
  }
}
