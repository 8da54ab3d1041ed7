import PonosCore
import Testing

/// Every refusal, with the code that metrics, logs and callers know it by.
enum RejectionTable {
  struct Row: Sendable, CustomTestStringConvertible {
    let rejection: Rejection
    let code: String
    /// The field, or the thing to change, that the message must name.
    let words: [String]

    var testDescription: String { code }
  }

  static let avs = EthereumAddress(unchecked: Array(repeating: 0xa1, count: 20))
  static let other = EthereumAddress(unchecked: Array(repeating: 0xb2, count: 20))
  static let set = OperatorSet(avs: avs, id: 9)
  static let id = TaskID(unchecked: Array(repeating: 0xc3, count: 32))

  static let rows: [Row] = [
    Row(
      rejection: .malformed(field: "task_id", problem: "is short"), code: "malformed_submission", words: ["task_id is short"]),
    Row(rejection: .unsupportedVersion(2), code: "unsupported_version", words: ["version is 2", "version 1"]),
    Row(
      rejection: .wrongExecutor(named: other, ours: avs), code: "wrong_executor",
      words: ["executor_address", other.description, avs.description]),
    Row(rejection: .unknownAVS(avs), code: "unknown_avs", words: ["avs_address", avs.description, "avsPerformers"]),
    Row(
      rejection: .unknownOperatorSet(set), code: "unknown_operator_set", words: ["operator_set_id 9", avs.description]),
    Row(
      rejection: .unknownAggregator(other, avs: avs), code: "unknown_aggregator",
      words: ["aggregator_address", other.description]),
    Row(rejection: .badSignature("has 3 bytes"), code: "bad_signature", words: ["signature has 3 bytes"]),
    Row(
      rejection: .noSigner(.bn254, operatorSet: set), code: "no_signer",
      words: ["operator_set_id 9", "bn254", "operator.signingKeys"]),
    Row(rejection: .noPerformer(avs: avs), code: "no_performer", words: ["avs_address", "DeployArtifact"]),
    Row(rejection: .performerUnavailable(avs: avs), code: "performer_unavailable", words: ["avs_address", "again"]),
    Row(rejection: .conflictingTask(id), code: "conflicting_task", words: ["task_id", id.description]),
    Row(rejection: .queueFull(avs: avs, .tasksOfAVS), code: "queue_full", words: ["queue", "avs_address", "later"]),
    Row(rejection: .storeUnavailable("disk full"), code: "store_unavailable", words: ["disk full", "nothing was accepted"]),
    Row(rejection: .notAccepting("starting"), code: "not_accepting", words: ["starting", "again"]),
    Row(rejection: .tooManyCallers, code: "too_many_callers", words: ["memory", "later"]),
    Row(rejection: .outcomeNotWritten("disk full"), code: "outcome_not_written", words: ["accepted", "disk full", "later"]),
    Row(rejection: .deadlinePassed(id), code: "deadline_passed", words: [id.description, "ponos-deadline", "clocks"]),
    Row(rejection: .circuitOpen(avs: avs, retryAfter: .seconds(1)), code: "circuit_open", words: [avs.description, "later"]),
    Row(
      rejection: .avsRateLimited(avs, retryAfter: .seconds(1)), code: "avs_rate_limited",
      words: [avs.description, "rateLimit", "later"]),
    Row(
      rejection: .aggregatorRateLimited(other, avs: avs, retryAfter: .seconds(1)), code: "aggregator_rate_limited",
      words: [other.description, avs.description, "aggregatorRateLimit", "later"]),
    Row(rejection: .storedRecordDamaged(id), code: "stored_record_damaged", words: [id.description, "restore a backup"]),
    Row(
      rejection: .insufficientResources(avs: avs), code: "insufficient_resources", words: [avs.description, "memory", "operator"]),
    Row(
      rejection: .payloadTooLarge(avs: avs, count: 12, limit: 10), code: "payload_too_large",
      words: ["payload has 12", avs.description, "10", "maxPayloadBytes"]),
    Row(rejection: .storeOverloaded("a slow disk"), code: "store_overloaded", words: ["a slow disk", "nothing was accepted"]),
    Row(rejection: .chain(.unavailable(problem: "rpc_timed_out")), code: "chain_unavailable", words: ["rpc_timed_out", "later"]),
  ]

  /// Which row a refusal belongs to. Total, so that a new refusal does not compile until the table knows it.
  static func index(of rejection: Rejection) -> Int {
    switch rejection {
    case .malformed: 0
    case .unsupportedVersion: 1
    case .wrongExecutor: 2
    case .unknownAVS: 3
    case .unknownOperatorSet: 4
    case .unknownAggregator: 5
    case .badSignature: 6
    case .noSigner: 7
    case .noPerformer: 8
    case .performerUnavailable: 9
    case .conflictingTask: 10
    case .queueFull: 11
    case .storeUnavailable: 12
    case .notAccepting: 13
    case .tooManyCallers: 14
    case .outcomeNotWritten: 15
    case .deadlinePassed: 16
    case .circuitOpen: 17
    case .avsRateLimited: 18
    case .aggregatorRateLimited: 19
    case .storedRecordDamaged: 20
    case .insufficientResources: 21
    case .payloadTooLarge: 22
    case .storeOverloaded: 23
    case .chain: 24
    }
  }
}

@Suite("Refusals")
struct RejectionTests {
  /// Texts at which stock aggregators send again, whatever the status.
  static let retriedTexts = [
    "connection refused", "connection reset", "connection timeout", "no such host", "network is unreachable",
  ]

  @Test("keep their codes, and name the field", arguments: RejectionTable.rows)
  func keepTheirCodes(row: RejectionTable.Row) {
    #expect(row.rejection.code == row.code)
    for word in row.words { #expect(row.rejection.message.contains(word), "\(row.rejection.message)") }
    for text in Self.retriedTexts { #expect(!row.rejection.message.contains(text)) }
  }

  @Test("have a row and a code each")
  func haveRowAndCodeEach() {
    #expect(RejectionTable.rows.map { RejectionTable.index(of: $0.rejection) } == Array(RejectionTable.rows.indices))
    #expect(Set(RejectionTable.rows.map(\.code)).count == RejectionTable.rows.count)
    for row in RejectionTable.rows { #expect(row.code.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil) }
  }

  @Test("share no code with a failure")
  func shareNoCodeWithFailure() {
    #expect(Set(RejectionTable.rows.map(\.code)).isDisjoint(with: FailureTable.rows.map(\.code)))
  }
}
