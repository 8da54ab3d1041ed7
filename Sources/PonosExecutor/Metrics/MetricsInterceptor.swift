import GRPCCore
import PonosTelemetry
import Synchronization

/// Counts and times the gRPC calls a server handles, under the names that dashboards for gRPC servers know.
///
/// Only methods that are registered get here, so the labels are bounded. A call whose client goes away before the answer is
/// begun is counted as started and, once its handler ends, as canceled.
package struct MetricsInterceptor: ServerInterceptor {
  private let metrics: CallMetrics

  package init(registry: PrometheusRegistry) {
    metrics = CallMetrics(registry)
  }

  package func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingServerRequest<Input>, context: ServerContext,
    next: @Sendable (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
  ) async throws -> StreamingServerResponse<Output> {
    let call = metrics.begin(context.descriptor)
    var response: StreamingServerResponse<Output>
    do {
      response = try await next(request, context)
    } catch {
      call.end(Self.code(of: error))
      throw error
    }
    switch response.accepted {
    case .failure(let error):
      call.end(Status.Code(error.code))
    case .success(var contents):
      let produce = contents.producer
      contents.producer = { writer in
        do {
          let trailers = try await produce(writer)
          call.end(.ok)
          return trailers
        } catch {
          call.end(Self.code(of: error))
          throw error
        }
      }
      response.accepted = .success(contents)
    }
    return response
  }

  private static func code(of error: any Error) -> Status.Code {
    switch error {
    case let error as RPCError: Status.Code(error.code)
    case let error as any RPCErrorConvertible: Status.Code(error.rpcErrorCode)
    case is CancellationError: .cancelled
    default: .unknown
    }
  }
}

/// The series of the methods called so far.
private final class CallMetrics: Sendable {
  /// A call that was begun.
  struct Call: Sendable {
    let method: Method
    let start: ContinuousClock.Instant

    func end(_ code: Status.Code) {
      method.handled[code.rawValue].increment()
      method.seconds.observe((ContinuousClock.now - start) / .seconds(1))
    }
  }

  struct Method: Sendable {
    let started: PrometheusCounter
    /// By the number of the status code.
    let handled: [PrometheusCounter]
    let seconds: PrometheusHistogram
  }

  private let started: PrometheusFamily<PrometheusCounter>
  private let handled: PrometheusFamily<PrometheusCounter>
  private let seconds: PrometheusFamily<PrometheusHistogram>
  private let methods = Mutex<[MethodDescriptor: Method]>([:])

  /// Status codes by number, spelt as other gRPC servers spell them in this label.
  private static let codeNames = [
    "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied",
    "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss",
    "Unauthenticated",
  ]

  init(_ registry: PrometheusRegistry) {
    let labels = ["grpc_service", "grpc_method", "grpc_type"]
    started = registry.counter("grpc_server_started_total", help: "gRPC calls begun.", labels: labels)
    handled = registry.counter(
      "grpc_server_handled_total", help: "gRPC calls ended, by status code.", labels: labels + ["grpc_code"])
    seconds = registry.histogram("grpc_server_handling_seconds", help: "Time of a gRPC call in the server.", labels: labels)
  }

  func begin(_ descriptor: MethodDescriptor) -> Call {
    let method = methods.withLock { methods in
      if let known = methods[descriptor] { return known }
      let new = series(of: descriptor)
      methods[descriptor] = new
      return new
    }
    method.started.increment()
    return Call(method: method, start: .now)
  }

  private func series(of descriptor: MethodDescriptor) -> Method {
    let service = descriptor.service.fullyQualifiedService
    let type = Self.name(of: descriptor.type)
    return Method(
      started: started.with(service, descriptor.method, type),
      handled: Self.codeNames.map { handled.with(service, descriptor.method, type, $0) },
      seconds: seconds.with(service, descriptor.method, type))
  }

  private static func name(of type: MethodDescriptor.RPCType?) -> String {
    switch type {
    case .unary, nil: "unary"
    case .clientStreaming: "client_stream"
    case .serverStreaming: "server_stream"
    case .bidirectionalStreaming: "bidi_stream"
    }
  }
}
