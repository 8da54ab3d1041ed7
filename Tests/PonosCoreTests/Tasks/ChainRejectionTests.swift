import PonosCore
import Testing

/// Every refusal that the chain causes, with its code.
enum ChainRejectionTable {
  private static let avs = RejectionTable.avs
  private static let other = RejectionTable.other
  private static let set = RejectionTable.set
  private static let id = RejectionTable.id

  static let rows: [(rejection: ChainRejection, code: String, kind: ChainRejection.Kind, words: [String])] = [
    (.avsNotRegistered(avs, problem: "no code"), "avs_not_registered", .unmet, [avs.description, "no code"]),
    (.aggregatorNotRegistered(other, set, at: 5), "aggregator_not_registered", .forbidden, [other.description, "block 5"]),
    (.aggregatorKeyReplaced(other, set, at: 5), "aggregator_key_replaced", .forbidden, [other.description, "later block"]),
    (.operatorNotInSet(set, at: 5), "operator_not_in_set", .unmet, ["operator_set_id 9", "join"]),
    (.signingKeyNotRegistered(set, at: 5), "signing_key_not_registered", .unmet, ["operator_set_id 9", "register"]),
    (
      .signingKeyDiffers(set, registered: "0x1", configured: "0x2"), "signing_key_differs", .unmet,
      ["operator_set_id 9", "0x1", "0x2", "configure"]
    ),
    (.blockTooOld(5, limit: .seconds(60)), "block_too_old", .unmet, ["task_block_number 5", "60", "l1Chain.maxBlockAge"]),
    (.blockUnknown(9, head: 5), "block_unknown", .passing, ["task_block_number 9", "5", "again"]),
    (.stateUnavailable(5), "block_state_unavailable", .unmet, ["task_block_number 5", "archive"]),
    (.unavailable(problem: "rpc_timed_out"), "chain_unavailable", .passing, ["rpc_timed_out", "later"]),
    (
      .lookupsLimited(avs: avs, retryAfter: .seconds(3)), "aggregator_lookups_limited", .excess, [avs.description, "later"]
    ),
    (.taskUnknown(id), "task_not_on_chain", .unmet, [id.description, "mailbox"]),
    (.taskFinished(id), "task_finished", .unmet, [id.description, "result"]),
    (.taskExpired(id), "task_expired_on_chain", .unmet, [id.description, "SLA"]),
    (.taskDiffers(id, field: "payload"), "task_differs", .unmet, [id.description, "payload"]),
  ]
}

@Suite("Refusals because of the chain")
struct ChainRejectionTests {
  @Test("keep their codes, and say what to do")
  func keepTheirCodes() {
    for row in ChainRejectionTable.rows {
      #expect(row.rejection.code == row.code && row.rejection.kind == row.kind)
      for word in row.words { #expect(row.rejection.message.contains(word), "\(row.rejection.message)") }
      for text in RejectionTests.retriedTexts { #expect(!row.rejection.message.contains(text)) }
    }
  }

  @Test("say when to come again exactly when the cause passes by itself")
  func sayWhenToComeAgainExactlyWhenCausePassesByItself() {
    for row in ChainRejectionTable.rows {
      #expect((row.rejection.retryDelay != nil) == (row.kind == .passing || row.kind == .excess), "\(row.code)")
    }
  }

  @Test("share no code with other refusals and failures")
  func shareNoCodeWithOtherRefusalsAndFailures() {
    let codes = ChainRejectionTable.rows.map(\.code)
    #expect(Set(codes).count == codes.count)
    let others = RejectionTable.rows.map(\.code) + FailureTable.rows.map(\.code)
    #expect(Set(codes).intersection(others) == ["chain_unavailable"])
  }
}
