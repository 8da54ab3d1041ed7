import Foundation
import PonosChain
import PonosCore
import PonosCrypto
import PonosExecutor

/// The chain of `Tests/Chain` (`scripts/build-chain.sh`), with one AVS registered.
final class BenchmarkChain {
  private struct Ports: Decodable {
    let endpoints: [Int]
    let control: Int
  }

  private struct NotReady: Error, CustomStringConvertible {
    let description: String
  }

  private static let avs = "0x" + String(repeating: "44", count: 20)
  private static let operatorAddress = "0x" + String(repeating: "0a", count: 20)
  private static let aggregator = "0x" + String(repeating: "e1", count: 20)
  private static let key = "0x" + String(repeating: "e2", count: 20)

  private let process = Process()
  /// Held open: the chain ends with it.
  private let input = Pipe()
  private let ports: Ports

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../..").standardized
    let output = Pipe()
    process.executableURL = root.appending(path: ".build/chain/python/bin/python")
    process.arguments = [root.appending(path: "Tests/Chain/node.py").path]
    process.environment = ["PONOS_CHAIN_CODE": root.appending(path: ".build/chain/contracts.json").path, "PATH": "/usr/bin:/bin"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), let first = byte.first, first != 0x0a { line += byte }
    ports = try JSONDecoder().decode(Ports.self, from: line)
  }

  func end() {
    process.terminate()
  }

  /// Registers the aggregator in set 0 and the operator in set 1.
  func register() async throws {
    let (avs, executor) = (Self.avs, Self.operatorAddress)
    let changes = """
      {"do": "mine", "changes": [
        {"change": "avs", "avs": "\(avs)", "aggregatorSet": 0, "executorSets": [1]},
        {"change": "curve", "avs": "\(avs)", "set": 0, "curve": "ecdsa"},
        {"change": "curve", "avs": "\(avs)", "set": 1, "curve": "ecdsa"},
        {"change": "join", "avs": "\(avs)", "set": 0, "operator": "\(Self.aggregator)"},
        {"change": "key", "avs": "\(avs)", "set": 0, "operator": "\(Self.aggregator)", "ecdsa": "\(Self.key)"},
        {"change": "join", "avs": "\(avs)", "set": 1, "operator": "\(executor)"},
        {"change": "key", "avs": "\(avs)", "set": 1, "operator": "\(executor)", "ecdsa": "\(Self.key)"}]}
      """
    let sent = Process()
    sent.executableURL = URL(filePath: "/usr/bin/env")
    sent.arguments = ["curl", "-fsS", "-o", "/dev/null", "--data-binary", changes, "http://127.0.0.1:\(ports.control)/"]
    try sent.run()
    sent.waitUntilExit()
    guard sent.terminationStatus == 0 else { throw NotReady(description: "the chain did not take the registrations") }
  }

  func pool() throws -> EndpointPool {
    try EndpointPool(
      urls: ports.endpoints.map { "http://127.0.0.1:\($0)" }, settings: EndpointPool.Settings(chainID: 31337), caFile: nil)
  }

  /// A registry that knows nothing yet.
  func registry(pool: EndpointPool? = nil) throws -> (reader: ChainReader, registry: ChainOperatorSetRegistry) {
    guard let deployment = EigenLayerDeployment.known(chainID: 31337), let avs = EthereumAddress(hex: Self.avs),
      let executor = EthereumAddress(hex: Self.operatorAddress)
    else { throw NotReady(description: "chain 31337 has no deployment") }
    let reader = ChainReader(pool: try pool ?? self.pool())
    return (
      reader,
      ChainOperatorSetRegistry(
        reader: reader, allocationManager: deployment.allocationManager, keyRegistrar: deployment.keyRegistrar,
        operatorAddress: executor, avs: [avs], curves: { _ in [.ecdsa] }, settings: .init())
    )
  }

  /// Any submission of the aggregator: only its form is looked at.
  static func claim() -> SubmissionClaim {
    let address = { (hex: String) in EthereumAddress(hex: hex) ?? EthereumAddress(unchecked: [UInt8](repeating: 0, count: 20)) }
    return SubmissionClaim(
      operatorSet: OperatorSet(avs: address(avs), id: 1), aggregator: address(aggregator), block: 0,
      signature: [UInt8](repeating: 1, count: 64), digest: Digest32(unchecked: [UInt8](repeating: 2, count: 32)),
      isSignedBy: { _ in true })
  }

  /// A registry that says what it was told, as that of the configuration does.
  struct FixedRegistry: OperatorSetRegistry {
    private let curves: [UInt32: SignatureCurve] = [1: .ecdsa]
    private let keys: [EthereumAddress: VerificationKey] = [
      BenchmarkChain.claim().aggregator: .ecdsa(BenchmarkChain.claim().aggregator)
    ]

    func executorCurve(of set: OperatorSet, atBlock block: UInt64) async throws(Rejection) -> SignatureCurve {
      guard let curve = curves[set.id] else { throw .unknownOperatorSet(set) }
      return curve
    }

    func aggregatorKey(
      of aggregator: EthereumAddress, avs: EthereumAddress, atBlock block: UInt64
    ) async throws(Rejection) -> VerificationKey {
      guard let key = keys[aggregator] else { throw .unknownAggregator(aggregator, avs: avs) }
      return key
    }
  }
}
