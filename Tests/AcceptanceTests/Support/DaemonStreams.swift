import Foundation
import PonosAPI
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting
import Testing

/// Task streams with a daemon under test.
extension Daemon {
  /// An aggregator for the streams of an AVS, which checks the daemon's proof.
  func streamAggregator(
    _ aggregator: TestAggregator = .registered(.ecdsa), set curve: SignatureCurve = .ecdsa, avs: EthereumAddress? = nil,
    settings: StreamAggregator.Settings = .init()
  ) -> StreamAggregator {
    StreamAggregator(
      aggregator, avs: avs ?? self.avs, executor: DaemonConfiguration.operatorAddress,
      operatorSetID: DaemonConfiguration.set(curve), executorKey: TestKeys.executor(curve).verificationKey, settings: settings)
  }

  /// Submits on a stream, checks both signatures of the answer, and returns its output as text.
  func answer(
    to payload: String, by aggregator: StreamAggregator, avs: EthereumAddress? = nil, set curve: SignatureCurve = .ecdsa
  ) async throws -> String {
    let draft = draft(payload, avs: avs, set: curve)
    let ending = try await aggregator.submit(draft)
    let result = try #require(ending?.result, "\(String(describing: ending))")
    try check(result, for: try aggregator.aggregator.sign(draft))
    return String(decoding: result.output, as: UTF8.self)
  }

  /// Starts `task submit` for the first AVS.
  func taskSubmit(_ arguments: String...) throws -> ChildProcess {
    let key = place.directory.appending(path: "aggregator.hex")
    try Data(TestKeys.aggregatorHex(.ecdsa).utf8).write(to: key)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key.path)
    let fixed = [
      "task", "submit", "--avs", avs.description, "--operator-set-id", "0", "--aggregator-address",
      TestAggregator.registered(.ecdsa).address.description, "--executor-address",
      DaemonConfiguration.operatorAddress.description,
      "--key-file", key.path, "--executor-ecdsa-address", TestKeys.executor(.ecdsa).verificationKey.description,
      "--endpoint", "127.0.0.1:\(place.taskPort)", "-o", "json",
    ]
    var environment: [String: String] = [:]
    for name in ["PATH", "HOME", "LD_LIBRARY_PATH"] { environment[name] = ProcessInfo.processInfo.environment[name] }
    return try ChildProcess(
      try Self.executable(), fixed + arguments, environment: environment,
      log: place.directory.appending(path: "submit-\(UUID()).log"))
  }
}
