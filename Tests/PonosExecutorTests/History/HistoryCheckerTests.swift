import PonosCore
import PonosExecutorTesting
import PonosPerformerTesting
import PonosStore
import PonosStoreTesting
import PonosTesting
import Testing

/// A checker that finds nothing proves nothing: each kind of violation is made, and found.
@Suite("History checker")
struct HistoryCheckerTests {
  typealias Event = TaskHistory.Event

  private static let avs = StoreRecords.address(1)
  private static let other = StoreRecords.address(2)
  private static let id = StoreRecords.taskID(1)

  private static func signed(_ number: Int) -> TaskHistory.Answer {
    .signed(bytes: [UInt8(number)], digest: StoreRecords.digest(number))
  }
  private static let failed = TaskHistory.Answer.failed(code: "performer_error", message: "no")

  private static func submitted(
    _ number: Int = 1, avs: EthereumAddress = avs, expecting: TaskHistory.Expectation = .signed
  ) -> Event {
    .submitted(StoreRecords.taskID(number), avs: avs, expecting: expecting)
  }

  private static func ledger(_ phase: TaskPhase?, digest: Int?) -> Event {
    .ledger(
      StoreAudit(
        tasks: phase.map { [id: $0] } ?? [:], digests: digest.map { [id: StoreRecords.digest($0)] } ?? [:]))
  }

  private func violations(_ events: [Event], patience: Int = 100) -> Set<HistoryViolation> {
    Set(HistoryChecker(patience: patience).check(TaskHistory(events)).violations)
  }

  @Test("an ordinary history, with kills, retries and a failed task, is in order")
  func inOrder() {
    let events: [Event] = [
      Self.submitted(), .killed, Self.ledger(.executing, digest: nil), Self.submitted(),
      .answered(Self.id, Self.signed(1)), .answered(Self.id, Self.signed(1)),
      .submitted(StoreRecords.taskID(2), avs: Self.other, expecting: .failed("performer_error")),
      .answered(StoreRecords.taskID(2), Self.failed), .answered(StoreRecords.taskID(2), Self.failed),
      .tally(Self.avs, PerformerTally(tasks: 1, runs: 2, repeated: [Self.id: 2])),
      .ledger(
        StoreAudit(
          tasks: [Self.id: .signed, StoreRecords.taskID(2): .failed], digests: [Self.id: StoreRecords.digest(1)])),
    ]
    let verdict = HistoryChecker(patience: 100).check(TaskHistory(events))
    #expect(verdict.violations.isEmpty, "\(verdict.violations)")
    #expect(verdict.tasks == 2 && verdict.answers == 4 && verdict.kills == 1 && verdict.ledgers == 2)
    #expect(verdict.answeredByAVS == [Self.avs: 1, Self.other: 1])
  }

  @Test("a task that nobody answers, or that is refused for good, or answered with something worthless")
  func clients() {
    #expect(violations([Self.submitted()]) == [.unanswered(Self.id)])
    #expect(
      violations([Self.submitted(), .refused(Self.id, code: "no_signer"), .answered(Self.id, Self.signed(1))])
        == [.refused(Self.id, code: "no_signer")])
    #expect(
      violations([Self.submitted(), .worthless(Self.id, problem: "signature"), .answered(Self.id, Self.signed(1))])
        == [.worthless(Self.id, problem: "signature")])
  }

  @Test("two answers, by bytes alone or by digest as well")
  func differentAnswers() {
    let otherBytes = TaskHistory.Answer.signed(bytes: [9], digest: StoreRecords.digest(1))
    #expect(
      violations([Self.submitted(), .answered(Self.id, Self.signed(1)), .answered(Self.id, otherBytes)])
        == [.differentAnswers(Self.id)])
    #expect(
      violations([Self.submitted(), .answered(Self.id, Self.signed(1)), .answered(Self.id, Self.signed(2))])
        == [.differentAnswers(Self.id), .differentDigests(Self.id)])
    #expect(
      violations([Self.submitted(), .answered(Self.id, Self.signed(1)), .answered(Self.id, Self.failed)])
        == [.differentAnswers(Self.id)])
  }

  @Test("an end other than the one the task should have")
  func unexpectedEnd() {
    #expect(
      violations([Self.submitted(), .answered(Self.id, Self.failed)]) == [.unexpectedEnd(Self.id, Self.failed)])
    #expect(
      violations([Self.submitted(expecting: .failed("performer_error")), .answered(Self.id, Self.signed(1))])
        == [.unexpectedEnd(Self.id, Self.signed(1))])
    #expect(
      violations([Self.submitted(expecting: .failed("task_expired")), .answered(Self.id, Self.failed)])
        == [.unexpectedEnd(Self.id, Self.failed)])
  }

  @Test("a digest that changes in the database, or is missing there, or is not the one that was signed")
  func digests() {
    let answered = [Self.submitted(), .answered(Self.id, Self.signed(1))]
    #expect(
      violations([Self.ledger(.signed, digest: 1), Self.ledger(.signed, digest: 2)]) == [.differentDigests(Self.id)])
    #expect(violations([Self.ledger(.signed, digest: 1), Self.ledger(.signed, digest: nil)]) == [.differentDigests(Self.id)])
    #expect(violations(answered + [Self.ledger(.signed, digest: nil)]) == [.signedWithoutRecord(Self.id)])
    #expect(
      violations(answered + [Self.ledger(.signed, digest: 2)]) == [.signedWithoutRecord(Self.id), .differentDigests(Self.id)])
  }

  @Test("a task that the database forgets, takes back, or does not finish")
  func tasks() {
    let answered = [Self.submitted(), .answered(Self.id, Self.signed(1))]
    #expect(violations(answered + [Self.ledger(nil, digest: 1)]) == [.lost(Self.id)])
    #expect(violations([Self.ledger(.queued, digest: nil), Self.ledger(nil, digest: nil)]) == [.lost(Self.id)])
    #expect(violations([.receipted(Self.id), Self.ledger(nil, digest: nil)]) == [.lost(Self.id)])
    #expect(violations([Self.ledger(nil, digest: nil), .receipted(Self.id)]).isEmpty)
    #expect(violations([Self.ledger(.failed, digest: nil), Self.ledger(.signed, digest: nil)]) == [.undone(Self.id)])
    #expect(violations(answered + [Self.ledger(.failed, digest: 1)]) == [.undone(Self.id)])
    #expect(violations(answered + [Self.ledger(.executing, digest: 1)]) == [.unfinished(Self.id)])
  }

  @Test("a run that no kill and no lost performer explains")
  func runs() {
    let twice = Event.tally(Self.avs, PerformerTally(tasks: 1, runs: 2, repeated: [Self.id: 2]))
    let answer = Event.answered(Self.id, Self.signed(1))
    #expect(violations([Self.submitted(), answer, twice]) == [.ranTooOften(Self.id, runs: 2, explained: 1)])
    #expect(violations([.killed, Self.submitted(), answer, twice]) == [.ranTooOften(Self.id, runs: 2, explained: 1)])
    #expect(violations([Self.submitted(), answer, .killed, twice]) == [.ranTooOften(Self.id, runs: 2, explained: 1)])
    #expect(violations([Self.submitted(), .killed, answer, twice]).isEmpty)
    #expect(violations([Self.submitted(), .performerLost(Self.avs), answer, twice]).isEmpty)
    #expect(
      violations([Self.submitted(), .performerLost(Self.other), answer, twice])
        == [.ranTooOften(Self.id, runs: 2, explained: 1)])
  }

  @Test("an AVS that waits while others are answered, and no AVS that has nothing to wait for")
  func starvation() {
    func answersOfOthers(_ numbers: Range<Int>) -> [Event] {
      numbers.flatMap { number -> [Event] in
        [Self.submitted(number, avs: Self.other), .answered(StoreRecords.taskID(number), Self.signed(number % 200))]
      }
    }
    let answer = Event.answered(Self.id, Self.signed(1))
    #expect(violations([Self.submitted()] + answersOfOthers(10..<15) + [answer], patience: 5).isEmpty)
    #expect(
      violations([Self.submitted()] + answersOfOthers(10..<16) + [answer], patience: 5)
        == [.starved(Self.avs, answersOfOthers: 6)])
    #expect(violations([Self.submitted(), answer] + answersOfOthers(10..<16), patience: 5).isEmpty)
    #expect(violations(answersOfOthers(10..<16) + [Self.submitted(), answer], patience: 5).isEmpty)
  }
}
