import PonosCore
import PonosStore

/// Records for tests of stores, told apart by a number.
package enum StoreRecords {
  package static func taskID(_ number: Int) -> TaskID { TaskID(unchecked: bytes(32, number)) }
  package static func digest(_ number: Int) -> Digest32 { Digest32(unchecked: bytes(32, number)) }
  package static func address(_ number: Int) -> EthereumAddress { EthereumAddress(unchecked: bytes(20, number)) }

  package static func task(_ number: Int, submission: [UInt8]? = nil) -> AcceptedTaskRecord {
    AcceptedTaskRecord(
      id: taskID(number), contentHash: digest(number + 1), submission: submission ?? bytes(100, number),
      operatorSet: OperatorSet(avs: address(number % 3), id: UInt32.max - UInt32(number % 5)), aggregator: address(number + 7),
      priority: number % 4 - 1, acceptedAt: 1_700_000_000_000 + Int64(number), deadline: 1_700_000_090_000 + Int64(number))
  }

  package static func signedDigest(task: Int, digest number: Int) -> SignedDigestRecord {
    SignedDigestRecord(
      taskID: taskID(task), operatorSet: OperatorSet(avs: address(task % 3), id: 7), curve: .bn254, digest: digest(number),
      recordedAt: 1_700_000_001_000)
  }

  /// Task `number` at its end.
  package static func signedTask(_ number: Int, digest: Int, result: [UInt8] = [9], at time: UnixMilliseconds = 5)
    -> SignedTaskRecord
  {
    SignedTaskRecord(
      digest: SignedDigestRecord(
        taskID: taskID(number), operatorSet: task(number).operatorSet, curve: .bn254, digest: self.digest(digest),
        recordedAt: time),
      result: result)
  }

  package static func performer(_ number: Int, createdAt: UnixMilliseconds) -> PerformerRecord {
    PerformerRecord(
      id: "performer-\(number)",
      spec: PerformerSpec(
        avs: address(number), image: ImageReference(repository: "registry.local:5000/avs/square", tag: "v\(number)", digest: nil),
        pullPolicy: .never,
        environment: [
          EnvironmentVariable(name: "A", source: .literal("quote \" and ünïcode")),
          EnvironmentVariable(name: "B", source: .executorEnvironment("HOME")),
        ],
        concurrency: 3, limits: ResourceLimits(memoryBytes: 1 << 40, cpus: 0.25)),
      replica: number % 3, origin: .deployment, role: .staged, deploymentID: "deployment-\(number)",
      generation: number, containerID: nil, createdAt: createdAt)
  }

  /// `count` bytes that depend on `number`, every value of a byte among them.
  private static func bytes(_ count: Int, _ number: Int) -> [UInt8] {
    let big = withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) }
    return (0..<count).map { index in index < 8 ? big[index] : UInt8(truncatingIfNeeded: number &* 31 &+ index) }
  }
}
