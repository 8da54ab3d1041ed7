import GRPCCore
import PonosAPI

/// Passes the failpoints at both ends of a unary submission.
struct FailpointInterceptor: ServerInterceptor {
  let failpoints: Failpoints

  private static let submission = Eigenlayer_Hourglass_V1_ExecutorService.Method.SubmitTask.descriptor

  func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingServerRequest<Input>, context: ServerContext,
    next: @Sendable (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
  ) async throws -> StreamingServerResponse<Output> {
    guard context.descriptor == Self.submission else { return try await next(request, context) }
    failpoints.pass(.intakeReceived)
    let response = try await next(request, context)
    failpoints.pass(.intakeAnswered)
    return response
  }
}
