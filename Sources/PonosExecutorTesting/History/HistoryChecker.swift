import PonosCore
import PonosPerformerTesting
import PonosStore

/// Holds a history against the promise: an accepted task is never lost; a task id is never signed with two different digests; every
/// retry gets the same signed bytes; one AVS cannot starve another.
///
/// Pure: the same history gives the same verdict. It knows nothing of the executor but what the events say.
package struct HistoryChecker: Sendable {
  /// Answers that others may get in a row while a task of an AVS waits.
  package var patience: Int

  package init(patience: Int) {
    self.patience = patience
  }

  /// What the checker found, and how much there was to find it in.
  package struct Verdict: Sendable {
    package var violations: [HistoryViolation] = []
    package var tasks = 0
    /// Answers, those to retries included.
    package var answers = 0
    /// Different tasks that receipts came for.
    package var receipts = 0
    package var kills = 0
    package var ledgers = 0
    /// The longest run of answers to others while an AVS waited.
    package var longestWait = 0
    /// Different tasks answered, by AVS.
    package var answeredByAVS: [EthereumAddress: Int] = [:]
  }

  package func check(_ history: TaskHistory) -> Verdict {
    var reading = HistoryReading()
    for event in history.events { reading.read(event) }
    return reading.verdict(patience: patience)
  }
}

/// A history as far as it was read.
private struct HistoryReading {
  private struct Submission {
    let avs: EthereumAddress
    let expectation: TaskHistory.Expectation
    /// Runs lost before the first submission, by kills and by performers.
    let lossesBefore: Int
    var lossesUntilAnswer: Int?
    var answer: TaskHistory.Answer?
  }

  private var verdict = HistoryChecker.Verdict()
  private var submissions: [TaskID: Submission] = [:]
  private var receipts: Set<TaskID> = []
  private var digests: [TaskID: Digest32] = [:]
  private var lastLedger: StoreAudit?
  private var performersLost: [EthereumAddress: Int] = [:]
  /// Tasks submitted and not answered, by AVS.
  private var open: [EthereumAddress: Int] = [:]
  /// First answers to others since an AVS with open tasks got one.
  private var waits: [EthereumAddress: Int] = [:]
  private var longestWaits: [EthereumAddress: Int] = [:]

  mutating func read(_ event: TaskHistory.Event) {
    switch event {
    case .submitted(let id, let avs, let expectation): submitted(id, avs, expectation)
    case .receipted(let id): receipts.insert(id)
    case .answered(let id, let answer): answered(id, answer)
    case .refused(let id, let code): report(.refused(id, code: code))
    case .worthless(let id, let problem): report(.worthless(id, problem: problem))
    case .killed: verdict.kills += 1
    case .performerLost(let avs): performersLost[avs, default: 0] += 1
    case .tally(_, let tally): count(tally)
    case .ledger(let ledger): compare(ledger)
    }
  }

  func verdict(patience: Int) -> HistoryChecker.Verdict {
    var end = self
    for (id, submission) in submissions.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
      if submission.answer == nil { end.report(.unanswered(id)) }
      end.checkLedger(of: id, submission)
    }
    for (id, phase) in lastLedger?.tasks ?? [:] where !phase.isFinished { end.report(.unfinished(id)) }
    for (avs, wait) in longestWaits where wait > patience { end.report(.starved(avs, answersOfOthers: wait)) }
    end.verdict.tasks = submissions.count
    end.verdict.receipts = receipts.count
    end.verdict.longestWait = longestWaits.values.max() ?? 0
    return end.verdict
  }

  private mutating func report(_ violation: HistoryViolation) {
    if !verdict.violations.contains(violation) { verdict.violations.append(violation) }
  }

  // MARK: Clients

  private mutating func submitted(_ id: TaskID, _ avs: EthereumAddress, _ expectation: TaskHistory.Expectation) {
    guard submissions[id] == nil else { return }
    let losses = losses(of: avs)
    submissions[id] = Submission(avs: avs, expectation: expectation, lossesBefore: losses)
    open[avs, default: 0] += 1
    if open[avs] == 1 { waits[avs] = 0 }
  }

  private mutating func answered(_ id: TaskID, _ answer: TaskHistory.Answer) {
    verdict.answers += 1
    guard let submission = submissions[id] else { return }
    if let first = submission.answer {
      if first != answer { report(.differentAnswers(id)) }
    } else {
      let losses = losses(of: submission.avs)
      submissions[id]?.answer = answer
      submissions[id]?.lossesUntilAnswer = losses
      serve(submission.avs)
      checkEnd(id, answer, submission.expectation)
    }
    if case .signed(_, let digest) = answer { note(digest, for: id) }
  }

  private mutating func checkEnd(_ id: TaskID, _ answer: TaskHistory.Answer, _ expectation: TaskHistory.Expectation) {
    switch (answer, expectation) {
    case (.signed, .signed): return
    case (.failed(let code, _), .failed(let expected)) where code == expected: return
    default: report(.unexpectedEnd(id, answer))
    }
  }

  // MARK: Turns

  private mutating func serve(_ avs: EthereumAddress) {
    verdict.answeredByAVS[avs, default: 0] += 1
    open[avs, default: 0] -= 1
    waits[avs] = 0
    for (other, count) in open where other != avs && count > 0 {
      waits[other, default: 0] += 1
      longestWaits[other] = max(longestWaits[other] ?? 0, waits[other] ?? 0)
    }
  }

  // MARK: Performers

  private func losses(of avs: EthereumAddress) -> Int { verdict.kills + (performersLost[avs] ?? 0) }

  private mutating func count(_ tally: PerformerTally) {
    for (id, runs) in tally.repeated {
      guard let submission = submissions[id] else { continue }
      // The kill that ended a run may be noticed only after the retry was answered, never the other way round.
      let explained = 1 + (submission.lossesUntilAnswer ?? losses(of: submission.avs)) - submission.lossesBefore
      if runs > explained { report(.ranTooOften(id, runs: runs, explained: explained)) }
    }
  }

  // MARK: The database

  private mutating func note(_ digest: Digest32, for id: TaskID) {
    let known = digests.updateValue(digest, forKey: id)
    if let known, known != digest { report(.differentDigests(id)) }
  }

  private mutating func compare(_ ledger: StoreAudit) {
    verdict.ledgers += 1
    for (id, digest) in ledger.digests { note(digest, for: id) }
    for (id, phase) in lastLedger?.tasks ?? [:] {
      guard let now = ledger.tasks[id] else {
        report(.lost(id))
        continue
      }
      if phase.isFinished, now != phase { report(.undone(id)) }
    }
    for id in receipts where ledger.tasks[id] == nil { report(.lost(id)) }
    for (id, digest) in lastLedger?.digests ?? [:] where ledger.digests[id] != digest { report(.differentDigests(id)) }
    lastLedger = ledger
  }

  /// What the last ledger says of a task that a client had an answer to.
  private mutating func checkLedger(of id: TaskID, _ submission: Submission) {
    guard let lastLedger, let answer = submission.answer else { return }
    guard let phase = lastLedger.tasks[id] else { return report(.lost(id)) }
    switch answer {
    case .signed(_, let digest):
      if lastLedger.digests[id] != digest { report(.signedWithoutRecord(id)) }
      if phase == .failed { report(.undone(id)) }
    case .failed:
      if phase == .signed { report(.undone(id)) }
    }
  }
}
