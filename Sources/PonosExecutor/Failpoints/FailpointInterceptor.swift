import GRPCCore
import PonosAPI
import PonosSystem

/// Passes the failpoints at both ends of a unary submission, and behind what a session says.
struct FailpointInterceptor: ServerInterceptor {
  let failpoints: Failpoints

  private static let submission = Eigenlayer_Hourglass_V1_ExecutorService.Method.SubmitTask.descriptor
  private static let session = Ponos_V1_TaskStreamService.Method.OpenSession.descriptor

  func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingServerRequest<Input>, context: ServerContext,
    next: @Sendable (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
  ) async throws -> StreamingServerResponse<Output> {
    switch context.descriptor {
    case Self.submission:
      failpoints.pass(.intakeReceived)
      let response = try await next(request, context)
      failpoints.pass(.intakeAnswered)
      return response
    case Self.session: return watching(try await next(request, context))
    default: return try await next(request, context)
    }
  }

  private func watching<Output: Sendable>(_ response: StreamingServerResponse<Output>) -> StreamingServerResponse<Output> {
    guard case .success(var contents) = response.accepted else { return response }
    let produce = contents.producer
    contents.producer = { [failpoints] writer in
      try await produce(RPCWriter(wrapping: WatchedWriter(base: writer, failpoints: failpoints)))
    }
    return StreamingServerResponse(accepted: .success(contents))
  }
}

/// Passes a failpoint behind each receipt and each outcome.
private struct WatchedWriter<Element: Sendable>: RPCWriterProtocol {
  let base: RPCWriter<Element>
  let failpoints: Failpoints

  func write(_ element: Element) async throws {
    try await base.write(element)
    switch (element as? Ponos_V1_ExecutorMessage)?.body {
    case .receipt: failpoints.pass(.streamReceipted)
    case .outcome: failpoints.pass(.streamSent)
    default: break
    }
  }

  func write(contentsOf elements: some Sequence<Element>) async throws {
    for element in elements { try await write(element) }
  }
}
