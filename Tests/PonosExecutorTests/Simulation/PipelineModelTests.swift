import PonosAPI
import PonosCore
@testable import PonosExecutor
import PonosStore
import PonosStoreTesting
import PonosTesting
import SwiftProtobuf
import Testing

/// A model that allows everything proves nothing: each thing that must not happen is shown to it, and it objects.
@Suite("The model of the pipeline")
struct PipelineModelTests {
  private static let id = StoreRecords.taskID(1)
  private static let avs = StoreRecords.address(1)
  private static let content = StoreRecords.digest(9)
  private static let output: [UInt8] = [1, 2]
  private static let failure = StoredFailure(code: "performer_error", message: "no")

  private static let accepted = Observation.accepted(id, contentHash: content)
  private static let executing = Observation.moved(id, .executing(performerID: "p", attempt: 1))
  private static let given = Observation.given(id, avs: avs)
  private static let signed = signed()
  private static let failed = Observation.moved(id, .failed(failure, at: 1))
  private static let requeued = Observation.moved(id, .requeued)

  private static func digest(_ number: Int = 1, output: [UInt8] = output, _ outcome: DigestOutcome = .recorded) -> Observation {
    .digest(record(number), output: output, outcome)
  }

  private static func record(_ number: Int) -> SignedDigestRecord {
    SignedDigestRecord(
      taskID: id, operatorSet: OperatorSet(avs: avs, id: 0), curve: .ecdsa, digest: StoreRecords.digest(number), recordedAt: 1)
  }

  /// Where nothing else is said, the end of a task whose digest was recorded before.
  private static func signed(
    _ number: Int = 1, output: [UInt8] = output, _ outcome: DigestOutcome = .sameAsRecorded
  ) -> Observation {
    let wire = Eigenlayer_Hourglass_V1_TaskResult.with { $0.output = .init(output) }
    return .finished(SignedTaskRecord(digest: record(number), result: (try? wire.serializedBytes()) ?? []), outcome)
  }

  /// What the model says to the last of `observations`; those before it have to be in order.
  private func objection(to observations: [Observation]) throws -> String? {
    var model = PipelineModel()
    model.answered(Self.id, output: Self.output)
    for observation in observations.dropLast() { #expect(model.read(observation) == nil) }
    return model.read(try #require(observations.last))
  }

  @Test("an ordinary walk is in order, and nothing is left over")
  func ordinaryWalkIsInOrder() {
    var model = PipelineModel()
    model.called(1, Self.id, contentHash: Self.content)
    model.answered(Self.id, output: Self.output)
    let walk = [Self.accepted, Self.executing, Self.given, Self.digest(), Self.signed, .outcome(call: 1, nil)]
    for observation in walk { #expect(model.read(observation) == nil) }
    #expect(model.leftOver == nil)
    #expect(model.signedInOneStep == 0)
  }

  @Test("so is one whose digest is recorded with its end")
  func soIsOneWhoseDigestIsRecordedWithItsEnd() {
    var model = PipelineModel()
    model.called(1, Self.id, contentHash: Self.content)
    model.answered(Self.id, output: Self.output)
    let walk = [Self.accepted, Self.given, Self.signed(1, .recorded), .outcome(call: 1, nil)]
    for observation in walk { #expect(model.read(observation) == nil) }
    #expect(model.leftOver == nil)
    #expect(model.signedInOneStep == 1)
  }

  @Test(
    "what must not happen",
    arguments: [
      [accepted, accepted],
      [executing],
      [given],
      [accepted, executing, given, given],
      [accepted, digest()],
      [accepted, executing, digest()],
      [accepted, failed, given],
      [accepted, executing, given, digest(), given],
      [accepted, executing, given, digest(output: [9])],
      [accepted, executing, given, digest(), executing],
      [accepted, executing, given, digest(), requeued],
      [accepted, executing, given, digest(), failed],
      [accepted, executing, given, digest(), digest(2)],
      [accepted, executing, given, digest(), digest(2, .conflict(recorded: StoreRecords.digest(1)))],
      [accepted, executing, given, signed],
      [accepted, signed(1, .recorded)],
      [accepted, given, signed(1, output: [9], .recorded)],
      [accepted, given, .moved(id, .signed(result: [7], at: 1))],
      [accepted, given, digest(), signed(2, .recorded)],
      [accepted, given, digest(), signed(1, .recorded)],
      [accepted, given, signed(1, .recorded), signed(1, .sameAsRecorded)],
      [accepted, given, signed(1, .recorded), given],
      [accepted, executing, given, digest(), signed, failed],
      [accepted, failed, executing],
    ])
  func whatMustNotHappen(_ observations: [Observation]) throws {
    #expect(try objection(to: observations) != nil)
  }

  @Test("a run again is in order after a crash or a lost run only")
  func runAgainIsInOrderAfterCrashOrLostRunOnly() {
    for loss in [
      { (model: inout PipelineModel) in model.crashed() }, { (model: inout PipelineModel) in model.lostRun(of: Self.id) },
    ] {
      var model = PipelineModel()
      for observation in [Self.accepted, Self.executing, Self.given] { #expect(model.read(observation) == nil) }
      loss(&model)
      #expect(model.read(Self.executing) == nil && model.read(Self.given) == nil)
      #expect(model.read(Self.given) != nil)
    }
  }

  @Test("an unfinished task is in flight")
  func unfinishedTaskIsInFlight() {
    var model = PipelineModel()
    #expect(model.read(Self.accepted) == nil)
    #expect(model.orphan { $0 == Self.id } == nil)
    #expect(model.orphan { _ in false } != nil)
    model.crashed()
    #expect(model.orphan { _ in false } != nil)
    #expect(model.read(Self.failed) == nil && model.orphan { _ in false } == nil)
  }

  @Test("receipts, standings and cancellations say what is on the disk")
  func receiptsStandingsAndCancellationsSayWhatIsOnDisk() {
    let owner = TaskOwner(aggregator: StoreRecords.address(2), avs: Self.avs)
    let other = TaskOwner(aggregator: StoreRecords.address(3), avs: Self.avs)
    var model = PipelineModel()
    for number in 1...5 { model.called(number, Self.id, contentHash: Self.content) }
    #expect(model.read(.receipt(call: 1, .success(.unfinished))) != nil)
    #expect(model.read(.accepted(Self.id, contentHash: Self.content, owner: owner)) == nil)
    #expect(model.read(.receipt(call: 2, .success(.unfinished))) != nil, "its outcome does not wait")
    #expect(model.read(.expected([Self.id: .unfinished], other)) != nil)
    #expect(model.read(.expected([Self.id: .finished], owner)) != nil)
    #expect(model.read(.expected([Self.id: .unfinished, StoreRecords.taskID(2): .unknown], owner)) == nil)
    #expect(model.read(.receipt(call: 3, .success(.finished))) != nil)
    #expect(model.read(.receipt(call: 4, .success(.unfinished))) == nil)
    for number in 11...13 { model.cancels(number, Self.id, owner: owner) }
    #expect(model.read(.cancelled(call: 11, .cancelled)) != nil)
    #expect(model.read(.cancelled(call: 12, .unknown)) != nil)
    #expect(model.waiting(for: owner).isEmpty)
    #expect(model.read(.moved(Self.id, .failed(StoredFailure(code: "task_cancelled", message: ""), at: 1))) == nil)
    #expect(model.read(.cancelled(call: 13, .cancelled)) == nil)
    #expect(model.waiting(for: owner) == [Self.id])
    #expect(model.read(.acknowledged([Self.id], owner)) == nil && model.waiting(for: owner).isEmpty)
    #expect(model.read(.receipt(call: 5, .success(.finished))) == nil, "acknowledged since")
  }

  @Test("callers get what is on the disk, and retries are not turned away")
  func callersGetWhatIsOnDisk() {
    var model = PipelineModel()
    #expect(model.read(Self.accepted) == nil && model.read(Self.failed) == nil)
    for number in 1...4 { model.called(number, Self.id, contentHash: Self.content) }
    model.called(5, Self.id, contentHash: StoreRecords.digest(8))
    #expect(model.read(.outcome(call: 1, .failed(Self.failure))) == nil)
    #expect(model.read(.outcome(call: 2, .failed(StoredFailure(code: "task_expired", message: "")))) != nil)
    #expect(model.read(.outcome(call: 3, .refused(.conflictingTask(Self.id)))) != nil)
    #expect(model.read(.outcome(call: 4, .refused(.noPerformer(avs: Self.avs)))) != nil)
    #expect(model.read(.outcome(call: 5, .refused(.conflictingTask(Self.id)))) == nil)
    #expect(model.read(.outcome(call: 5, nil)) != nil)
  }

  @Test("what is left over, and rows that changed behind the model's back")
  func whatIsLeftOver() {
    var model = PipelineModel()
    model.called(1, Self.id, contentHash: Self.content)
    #expect(model.leftOver != nil)
    #expect(model.read(.outcome(call: 1, nil)) == nil && model.leftOver == nil)
    #expect(model.read(Self.accepted) == nil && model.leftOver != nil)
    #expect(model.difference(from: nil, of: Self.id) != nil)
    var record = TaskRecord(accepted: StoreRecords.task(1), sequence: 1)
    #expect(model.difference(from: record, of: Self.id) == nil)
    record.phase = .executing
    #expect(model.difference(from: record, of: Self.id) != nil)
    #expect(model.difference(from: record, of: StoreRecords.taskID(2)) != nil)
  }
}
