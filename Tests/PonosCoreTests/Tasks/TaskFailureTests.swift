import PonosCore
import Testing

/// Every failure, with the code that metrics, logs and stored rows know it by.
enum FailureTable {
  struct Row: Sendable, CustomTestStringConvertible {
    let failure: TaskFailure
    let code: String
    let isRetryable: Bool
    /// Words the message must contain: what the reader needs to act.
    let words: [String]

    var testDescription: String { code }
  }

  static let digest = Digest32(unchecked: Array(repeating: 0xab, count: 32))

  static let rows: [Row] = [
    Row(
      failure: .performerError(code: 3, message: "not a number"), code: "performer_error", isRetryable: false,
      words: ["status 3", "not a number"]),
    Row(
      failure: .performerUnreachable("no route"), code: "performer_unreachable", isRetryable: true, words: ["no route"]),
    Row(
      failure: .performerCrashed(containers: 3), code: "performer_crashed", isRetryable: false,
      words: ["3 containers", "log"]),
    Row(failure: .timedOut, code: "task_timed_out", isRetryable: false, words: ["taskTimeout"]),
    Row(failure: .expired, code: "task_expired", isRetryable: false, words: ["concurrency", "taskTimeout"]),
    Row(failure: .wrongTaskID, code: "wrong_task_id", isRetryable: false, words: ["task_id"]),
    Row(failure: .outputTooLarge(limit: 77), code: "output_too_large", isRetryable: false, words: ["77 bytes"]),
    Row(
      failure: .digestConflict(recorded: digest), code: "digest_conflict", isRetryable: false,
      words: [digest.description, "not signed"]),
    Row(failure: .signingFailed("no key"), code: "signing_failed", isRetryable: false, words: ["no key"]),
    Row(
      failure: .journalUnavailable("disk full"), code: "journal_unavailable", isRetryable: false, words: ["disk full"]),
    Row(failure: .expiredWhileDown, code: "task_expired_while_down", isRetryable: false, words: ["down"]),
    Row(failure: .cancelled, code: "task_cancelled", isRetryable: false, words: ["aggregator cancelled"]),
    Row(failure: .journalRefused("finished"), code: "journal_refused", isRetryable: false, words: ["finished"]),
    Row(
      failure: .displaced(.dropLowestPriority), code: "task_displaced", isRetryable: false,
      words: ["dropLowestPriority", "queue.maxPerAvs"]),
    Row(
      failure: .performerBusy("all slots taken", retryAfter: .seconds(2)), code: "performer_busy", isRetryable: true,
      words: ["all slots"]),
    Row(
      failure: .outputInvalid(.tooShort(count: 3, least: 32)), code: "output_invalid", isRetryable: false,
      words: ["responseRules", "3 bytes", "minBytes is 32"]),
  ]

  /// Which row a failure belongs to. Total, so that a new failure does not compile until the table knows it.
  static func index(of failure: TaskFailure) -> Int {
    switch failure {
    case .performerError: 0
    case .performerUnreachable: 1
    case .performerCrashed: 2
    case .timedOut: 3
    case .expired: 4
    case .wrongTaskID: 5
    case .outputTooLarge: 6
    case .digestConflict: 7
    case .signingFailed: 8
    case .journalUnavailable: 9
    case .expiredWhileDown: 10
    case .cancelled: 11
    case .journalRefused: 12
    case .displaced: 13
    case .performerBusy: 14
    case .outputInvalid: 15
    }
  }
}

@Suite("Task failures")
struct TaskFailureTests {
  @Test("keep their codes, and say what happened", arguments: FailureTable.rows)
  func keepTheirCodes(row: FailureTable.Row) {
    #expect(row.failure.code == row.code)
    #expect(row.failure.isRetryable == row.isRetryable)
    for word in row.words { #expect(row.failure.message.contains(word)) }
  }

  @Test("have a row and a code each")
  func haveRowAndCodeEach() {
    #expect(FailureTable.rows.map { FailureTable.index(of: $0.failure) } == Array(FailureTable.rows.indices))
    #expect(Set(FailureTable.rows.map(\.code)).count == FailureTable.rows.count)
    for row in FailureTable.rows { #expect(row.code.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil) }
  }
}
