import GRPCCore
import PonosAPI
import PonosCore
import PonosStore
import PonosSystem

/// The task port: turns wire messages into submissions and outcomes into answers.
package struct SubmitTaskHandler: Eigenlayer_Hourglass_V1_ExecutorService.StreamingServiceProtocol {
  private let intake: UnaryIntake

  package init(intake: UnaryIntake) {
    self.intake = intake
  }

  package func submitTask(
    request: StreamingServerRequest<Eigenlayer_Hourglass_V1_TaskSubmission>, context: ServerContext
  ) async throws -> StreamingServerResponse<Eigenlayer_Hourglass_V1_TaskResult> {
    try await offEventLoop {
      // Read as a stream, though it is one message: a `ServerRequest` would hold the payload for as long as the caller waits.
      let submission = try await read(request)
      return StreamingServerResponse(single: ServerResponse(message: try await result(of: consume submission)))
    }
  }

  /// Reads the message, and its urgency from the call's metadata.
  private func read(_ call: StreamingServerRequest<Eigenlayer_Hourglass_V1_TaskSubmission>) async throws -> TaskSubmission {
    let request = try await ServerRequest(stream: call)
    do throws(Rejection) {
      var submission = try TaskSubmission(wire: request.message)
      submission.urgency = try TaskUrgency(metadata: request.metadata)
      return submission
    } catch {
      intake.admission.countMalformed(error)
      throw RPCError(error)
    }
  }

  private func result(of submission: consuming TaskSubmission) async throws -> Eigenlayer_Hourglass_V1_TaskResult {
    let idText = submission.idText
    switch await intake.submit(consume submission) {
    case .signed(let result): return result.wire(idText: idText)
    case .failed(let failure): throw RPCError(failure)
    case .refused(let rejection): throw RPCError(rejection)
    case .interrupted(let reason): throw RPCError(reason)
    case nil: throw RPCError(code: .cancelled, message: "the caller went away; the task goes on, and a retry gets its result")
    }
  }
}

extension RPCError {
  /// Trailing metadata that carries the stable code of a refusal or failure.
  private static let codeKey = "ponos-code"

  /// Aggregators send a task again on codes 4, 8, 13 and 14. Only a refusal that a repetition may overcome has one of these.
  package init(_ rejection: Rejection) {
    let code: RPCError.Code =
      switch rejection {
      case .malformed, .unsupportedVersion, .payloadTooLarge: .invalidArgument
      case .wrongExecutor, .unknownAggregator, .badSignature: .permissionDenied
      case .unknownAVS, .unknownOperatorSet, .noSigner, .noPerformer, .insufficientResources, .deadlinePassed:
        .failedPrecondition
      case .conflictingTask: .alreadyExists
      case .queueFull, .tooManyCallers, .storeOverloaded, .avsRateLimited, .aggregatorRateLimited: .resourceExhausted
      case .performerUnavailable, .circuitOpen, .storeUnavailable, .outcomeNotWritten, .notAccepting: .unavailable
      case .storedRecordDamaged: .dataLoss
      case .chain(let rejection):
        switch rejection.kind {
        case .forbidden: .permissionDenied
        case .unmet: .failedPrecondition
        case .passing: .unavailable
        case .excess: .resourceExhausted
        }
      }
    var metadata =
      rejection.retryDelay.map { RetryHint.metadata(code: code, message: rejection.message, delay: $0) } ?? [:]
    metadata.addString(rejection.code, forKey: Self.codeKey)
    self.init(code: code, message: rejection.message, metadata: metadata)
  }

  /// A recorded failure is final: every retry gets it again, so the code asks for none.
  package init(_ failure: StoredFailure) {
    self.init(
      code: .failedPrecondition, message: Self.withoutRetriedTexts(failure.message),
      metadata: [Self.codeKey: .string(failure.code)])
  }

  /// Stock aggregators send again when the message has one of these texts, whatever the code. A performer's words may have them.
  private static let retriedTexts = [
    "connection refused", "connection reset", "connection timeout", "no such host", "network is unreachable",
  ]

  /// Joins the words of these texts, so that no client mistakes them for an error of its own transport.
  private static func withoutRetriedTexts(_ message: String) -> String {
    retriedTexts.reduce(message) { $0.replacing($1, with: $1.replacing(" ", with: "-")) }
  }
}
