import GRPCCore
import PonosAggregator
import PonosCore
import PonosExecutorTesting
import PonosTesting
import Testing

@testable import PonosExecutor
@testable import PonosStore

/// How refusals and failures look to the public aggregator's client, which sends again on 4, 8, 13 and 14 and on certain texts.
@Suite("Status codes of answers")
struct StatusMappingTests {
  static let avs = PipelineRig.avs

  @Test(
    "a refusal has the status that its cure needs, and carries its code",
    arguments: [
      (.malformed(field: "task_id", problem: "is short"), .invalidArgument), (.unsupportedVersion(2), .invalidArgument),
      (.wrongExecutor(named: avs, ours: avs), .permissionDenied), (.unknownAVS(avs), .failedPrecondition),
      (.unknownOperatorSet(OperatorSet(avs: avs, id: 1)), .failedPrecondition),
      (.unknownAggregator(avs, avs: avs), .permissionDenied), (.badSignature("is wrong"), .permissionDenied),
      (.noSigner(.bn254, operatorSet: OperatorSet(avs: avs, id: 1)), .failedPrecondition),
      (.noPerformer(avs: avs), .failedPrecondition), (.performerUnavailable(avs: avs), .unavailable),
      (.conflictingTask(TaskID(unchecked: [UInt8](repeating: 1, count: 32))), .alreadyExists),
      (.queueFull(avs: avs, .tasks), .resourceExhausted), (.tooManyCallers, .resourceExhausted),
      (.storeUnavailable("disk full"), .unavailable), (.storeOverloaded("a slow disk"), .resourceExhausted),
      (.outcomeNotWritten("disk full"), .unavailable),
      (.notAccepting("starting"), .unavailable),
      (.deadlinePassed(TaskID(unchecked: [UInt8](repeating: 1, count: 32))), .failedPrecondition),
      (.circuitOpen(avs: avs, retryAfter: .seconds(3)), .unavailable),
      (.insufficientResources(avs: avs), .failedPrecondition),
      (.payloadTooLarge(avs: avs, count: 2, limit: 1), .invalidArgument),
      (.avsRateLimited(avs, retryAfter: .milliseconds(250)), .resourceExhausted),
      (.aggregatorRateLimited(avs, avs: avs, retryAfter: .milliseconds(1500)), .resourceExhausted),
      (.storedRecordDamaged(TaskID(unchecked: [UInt8](repeating: 1, count: 32))), .dataLoss),
    ] as [(Rejection, RPCError.Code)])
  func refusalHasStatusThatItsCureNeeds(rejection: Rejection, status: RPCError.Code) {
    let error = RPCError(rejection)
    #expect(error.code == status)
    #expect(error.message == rejection.message)
    #expect(Array(error.metadata[stringValues: "ponos-code"]) == [rejection.code])
    let mayPass = [
      .performerUnavailable(avs: Self.avs), .queueFull(avs: Self.avs, .tasks), .tooManyCallers, .storeUnavailable("disk full"),
      .storeOverloaded("a slow disk"), .outcomeNotWritten("disk full"), .notAccepting("starting"),
      .circuitOpen(avs: Self.avs, retryAfter: .seconds(3)),
      .avsRateLimited(Self.avs, retryAfter: .milliseconds(250)),
      .aggregatorRateLimited(Self.avs, avs: Self.avs, retryAfter: .milliseconds(1500)),
    ]
    .contains(rejection)
    #expect(StockRetryPolicy.repeats(error) == mayPass)
  }

  @Test(
    "what passes by itself says when to come again, in the details that rich clients read",
    arguments: [
      (.queueFull(avs: avs, .tasks), .seconds(1)), (.tooManyCallers, .seconds(1)),
      (.circuitOpen(avs: avs, retryAfter: .seconds(3)), .seconds(3)),
      (.avsRateLimited(avs, retryAfter: .milliseconds(250)), .milliseconds(250)),
      (.aggregatorRateLimited(avs, avs: avs, retryAfter: .milliseconds(1500)), .milliseconds(1500)),
      (.storeOverloaded("a slow disk"), .seconds(1)), (.storeUnavailable("disk full"), .seconds(1)),
      (.outcomeNotWritten("disk full"), .seconds(1)), (.performerUnavailable(avs: avs), .seconds(1)),
      (.notAccepting("starting"), .seconds(1)), (.unknownAVS(avs), nil),
      (.storedRecordDamaged(TaskID(unchecked: [UInt8](repeating: 1, count: 32))), nil),
    ] as [(Rejection, Duration?)])
  func whatPassesByItselfSaysWhenToComeAgain(rejection: Rejection, delay: Duration?) {
    let error = RPCError(rejection)
    #expect(RetryHint.delay(in: error) == delay)
    #expect(error.metadata[binaryValues: "grpc-status-details-bin"].contains { _ in true } == (delay != nil))
  }

  @Test("a performer's long words are cut, so that they fit into trailers")
  func performersLongWordsAreCut() {
    let error = RPCError(StoredFailure(.performerError(code: 2, message: String(repeating: "é", count: 20_000))))
    #expect(error.message.utf8.count < 1100)
    #expect(error.message.hasPrefix("the performer failed the task with status 2: éé"))
  }

  @Test(
    "a recorded failure is never sent again, whatever the performer's words were",
    arguments: [
      "dial tcp 10.0.0.1:8545: connect: connection refused", "read: connection reset by peer", "connection timeout",
      "lookup rpc.example: no such host", "network is unreachable", "anything else",
    ])
  func recordedFailureIsNeverSentAgain(words: String) {
    for failure in [TaskFailure.performerError(code: 14, message: words), .performerUnreachable(words), .signingFailed(words)] {
      let error = RPCError(StoredFailure(failure))
      #expect(error.code == .failedPrecondition)
      #expect(!StockRetryPolicy.repeats(error), "\(error.message)")
      #expect(Array(error.metadata[stringValues: "ponos-code"]) == [failure.code])
    }
  }
}
