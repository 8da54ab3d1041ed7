import PonosAPI
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting
import Testing

@testable import PonosExecutor

@Suite("Task validator")
struct TaskValidatorTests {
  typealias Rig = PipelineRig
  static let stranger = EthereumAddress(unchecked: [UInt8](repeating: 0x77, count: 20))

  private func code(of draft: SubmissionDraft, by aggregator: TestAggregator = .registered(.ecdsa)) async throws -> String? {
    let validator = try Rig().validator
    let submission = try Rig.submission(draft, by: aggregator)
    do throws(Rejection) {
      _ = try await validator.validate(submission)
      return nil
    } catch {
      return error.code
    }
  }

  @Test("a submission that is right in everything passes, for both curves and both sets")
  func submissionThatIsRightInEverythingPasses() async throws {
    for curve in SignatureCurve.allCases {
      for set in [0, 1] as [UInt32] { #expect(try await code(of: Rig.draft(set: set), by: .registered(curve)) == nil) }
    }
  }

  @Test("what is cheap to see is told before what is dear: a bad signature hides behind every other mistake")
  func whatIsCheapToSeeIsToldBeforeWhatIsDear() async throws {
    let bad = TestAggregator(address: TestAggregator.registered(.ecdsa).address, key: TestKeys.stranger(.ecdsa))
    var draft = Rig.draft()
    #expect(try await code(of: draft, by: bad) == "bad_signature")
    #expect(try await code(of: draft, by: TestAggregator(address: Self.stranger, key: bad.key)) == "unknown_aggregator")
    draft.operatorSetID = 7
    #expect(try await code(of: draft, by: bad) == "unknown_operator_set")
    draft.avs = Self.stranger
    #expect(try await code(of: draft, by: bad) == "unknown_avs")
    draft.executor = Self.stranger
    #expect(try await code(of: draft, by: bad) == "wrong_executor")
  }

  @Test("a signature made for another executor does not fit, even when the message names us")
  func signatureMadeForAnotherExecutorDoesNotFit() async throws {
    var draft = Rig.draft()
    draft.executor = Self.stranger
    var wire = try TestAggregator.registered(.ecdsa).sign(draft)
    wire.executorAddress = Rig.operatorAddress.description
    let submission = try TaskSubmission(wire: wire)
    let validator = try Rig().validator
    await #expect(throws: Rejection.self) { try await validator.validate(submission) }
  }

  @Test("equal tasks have equal content hashes, however their hex is written; every signed field and the aggregator count")
  func equalTasksHaveEqualContentHashes() throws {
    let validator = try Rig().validator
    let draft = Rig.draft()
    let base = try Rig.submission(draft)
    var wire = base.wire
    wire.avsAddress = "0x" + wire.avsAddress.dropFirst(2).uppercased()
    wire.taskID = "0x" + wire.taskID.dropFirst(2).uppercased()
    #expect(validator.contentHash(of: try TaskSubmission(wire: wire)) == validator.contentHash(of: base))

    var variants = [SubmissionDraft](repeating: draft, count: 6)
    variants[0].id = .random()
    variants[1].avs = Rig.otherAVS
    variants[2].operatorSetID = 1
    variants[3].payload.append(0)
    variants[4].referenceTimestamp += 1
    variants[5].blockNumber += 1
    let others = try variants.map { try Rig.submission($0) } + [try Rig.submission(draft, by: .registered(.bn254))]
    let hashes = ([base] + others).map { validator.contentHash(of: $0) }
    #expect(Set(hashes).count == hashes.count)
  }

  @Test("the stored wire message reads back as the same submission")
  func storedWireMessageReadsBackAsTheSameSubmission() throws {
    let submission = try Rig.submission(Rig.draft("payload", set: 1), by: .registered(.bn254))
    #expect(try TaskSubmission(wire: submission.wire) == submission)
  }

  @Test("a payload that is larger than the AVS's tasks may have is refused before its signature is looked at")
  func payloadThatIsLargerThanAVSsTasksMayHaveIsRefused() async throws {
    let validator = TaskValidator(
      operatorAddress: Rig.operatorAddress, registry: try StaticOperatorSetRegistry([Rig.config(Rig.avs)]),
      signers: { _ in [.ecdsa, .bn254] }, maxPayloadBytes: { _ in 4 })
    let bad = TestAggregator(address: TestAggregator.registered(.ecdsa).address, key: TestKeys.stranger(.ecdsa))
    func refusal(_ payload: String) async throws -> Rejection? {
      let submission = try Rig.submission(Rig.draft(payload), by: bad)
      do throws(Rejection) {
        _ = try await validator.validate(submission)
        return nil
      } catch { return error }
    }
    #expect(try await refusal("12345") == .payloadTooLarge(avs: Rig.avs, count: 5, limit: 4))
    #expect(try await refusal("1234")?.code == "bad_signature")
  }
}
