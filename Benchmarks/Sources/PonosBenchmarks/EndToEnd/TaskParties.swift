import Foundation
import PonosAPI
import PonosCore
import PonosCrypto
import SwiftProtobuf
import Synchronization

/// Who takes part in the benchmark's tasks. The keys are public.
struct TaskParties: Sendable {
  static let operatorAddress = address(0xaa)
  static let aggregatorAddress = address(0xbb)
  /// Another one in each run, so that containers and networks can be found by it and belong to nobody else.
  static let avs = EthereumAddress(unchecked: (0..<EthereumAddress.count).map { _ in UInt8.random(in: .min ... .max) })
  /// The operator set of each curve.
  static func operatorSetID(_ curve: SignatureCurve) -> UInt32 { curve == .ecdsa ? 1 : 2 }

  let aggregatorKey: ECDSAPrivateKey
  let ecdsaKey: ECDSAPrivateKey
  let bn254Key: BN254PrivateKey

  init() throws {
    aggregatorKey = try ECDSAPrivateKey(scalar: SecretBytes(copying: [UInt8](repeating: 0x21, count: 32)))
    ecdsaKey = try ECDSAPrivateKey(scalar: SecretBytes(copying: Self.ecdsaScalar))
    bn254Key = try BN254PrivateKey(scalar: SecretBytes(copying: [UInt8](repeating: 0x23, count: 32)))
  }

  /// What the daemon is configured with.
  static let ecdsaScalar = [UInt8](repeating: 0x22, count: 32)

  /// A signed task never sent before, with a payload of 1 KiB.
  func submission(for curve: SignatureCurve) throws -> Eigenlayer_Hourglass_V1_TaskSubmission {
    let id = TaskID(unchecked: UniqueID.next())
    let payload = [UInt8](repeating: 0x5a, count: 1024)
    let message = SubmissionMessage(
      taskID: id, avs: Self.avs, executor: Self.operatorAddress, operatorSetID: Self.operatorSetID(curve),
      referenceTimestamp: 1, blockNumber: 0, payload: payload)
    let signature = try aggregatorKey.sign(message.digest)
    return .with {
      $0.taskID = id.description
      $0.aggregatorAddress = Self.aggregatorAddress.description
      $0.avsAddress = Self.avs.description
      $0.payload = Data(payload)
      $0.signature = Data(signature.bytes)
      $0.operatorSetID = Self.operatorSetID(curve)
      $0.referenceTimestamp = 1
      $0.executorAddress = Self.operatorAddress.description
      $0.version = 1
    }
  }

  private static func address(_ byte: UInt8) -> EthereumAddress {
    EthereumAddress(unchecked: [UInt8](repeating: byte, count: EthereumAddress.count))
  }
}

/// Submissions signed ahead of time, so that the aggregator's work does not take processor time from what is measured.
final class SubmissionStock: Sendable {
  private struct State {
    var ready: [Eigenlayer_Hourglass_V1_TaskSubmission] = []
    var taken = 0
  }

  private let parties: TaskParties
  private let curve: SignatureCurve
  private let state = Mutex(State())

  init(parties: TaskParties, curve: SignatureCurve) {
    self.parties = parties
    self.curve = curve
  }

  /// Signs half as many again as were taken since the last time, and at least 512.
  func refill() throws {
    let count = state.withLock { max(512, $0.taken + $0.taken / 2) - $0.ready.count }
    let fresh = try (0..<max(0, count)).map { _ in try parties.submission(for: curve) }
    state.withLock {
      $0.ready += fresh
      $0.taken = 0
    }
  }

  /// One of the stock; signed on the spot when there is none.
  func next() throws -> Eigenlayer_Hourglass_V1_TaskSubmission {
    let ready = state.withLock { state in
      state.taken += 1
      return state.ready.popLast()
    }
    return try ready ?? parties.submission(for: curve)
  }
}
