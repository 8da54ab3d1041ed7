import PonosAPI
import PonosAggregator
import PonosCore
@testable import PonosExecutor
import PonosExecutorTesting
import PonosStoreTesting
import PonosTesting

/// Signed submissions, made once for all histories: signing costs more than everything else together.
final class SimulatedSubmissions {
  /// How a submission differs from the plain one of its id.
  enum Variant: Int, CaseIterable {
    case plain
    /// The same task with its id in upper case.
    case upperCase
    /// Another payload under the same id, properly signed.
    case otherContent
  }

  private struct Key: Hashable {
    let number: Int
    let variant: Variant
  }

  static let avs = (1...3).map { EthereumAddress(unchecked: [UInt8](repeating: UInt8(0xa0 + $0), count: 20)) }

  private var made: [Key: TaskSubmission] = [:]

  /// The submission of a number: every number is another task.
  func submission(_ number: Int, _ variant: Variant) throws -> TaskSubmission {
    let key = Key(number: number, variant: variant)
    if let known = made[key] { return known }
    let submission = try make(number, variant)
    made[key] = submission
    return submission
  }

  private func make(_ number: Int, _ variant: Variant) throws -> TaskSubmission {
    // BN254 costs fifty times as much, and the walk is the same.
    var draft = PipelineRig.draft("task \(number)", set: number % 16 == 0 ? 1 : 0, avs: Self.avs[number % Self.avs.count])
    draft.id = StoreRecords.taskID(number + 1)
    if variant == .otherContent { draft.payload += Array(" differs".utf8) }
    var wire = try TestAggregator.registered(number % 64 == 5 ? .bn254 : .ecdsa).sign(draft)
    if variant == .upperCase { wire.taskID = "0x" + wire.taskID.dropFirst(2).uppercased() }
    return try TaskSubmission(wire: wire)
  }
}
