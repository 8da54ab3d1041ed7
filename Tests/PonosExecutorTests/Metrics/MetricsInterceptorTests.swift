import GRPCCore
@testable import PonosExecutor
import PonosTelemetry
import Testing

@Suite struct MetricsInterceptorTests {
  private let registry = PrometheusRegistry()
  private let interceptor: MetricsInterceptor
  private let method = MethodDescriptor(fullyQualifiedService: "ponos.Test", method: "Do", type: .unary)

  init() { interceptor = MetricsInterceptor(registry: registry) }

  private enum Behaviour: CaseIterable {
    case answer, refuse, throwRPCError, throwOther, breakWhileProducing, cancelled
  }

  private func call(_ behaviour: Behaviour) async throws {
    let request = StreamingServerRequest(
      metadata: [:], messages: RPCAsyncSequence<Int, any Error>(wrapping: AsyncThrowingStream { $0.finish() }))
    let response = try await withServerContextRPCCancellationHandle { handle in
      let context = ServerContext(
        descriptor: method, remotePeer: "in-process", localPeer: "in-process", cancellation: handle)
      return try await interceptor.intercept(request: request, context: context) { _, _ in try Self.answer(behaviour) }
    }
    _ = try await response.accepted.get().producer(RPCWriter(wrapping: NoWriter()))
  }

  private static func answer(_ behaviour: Behaviour) throws -> StreamingServerResponse<Int> {
    switch behaviour {
    case .answer: return StreamingServerResponse { _ in [:] }
    case .refuse: return StreamingServerResponse(error: RPCError(code: .alreadyExists, message: ""))
    case .throwRPCError: throw RPCError(code: .resourceExhausted, message: "")
    case .throwOther: throw Failure()
    case .breakWhileProducing: return StreamingServerResponse { _ in throw RPCError(code: .internalError, message: "") }
    case .cancelled: throw CancellationError()
    }
  }

  private struct Failure: Error {}

  private struct NoWriter: RPCWriterProtocol {
    func write(_ element: Int) async throws {}
    func write(contentsOf elements: some Sequence<Int>) async throws {}
  }

  @Test func callsAreCountedByTheirOutcome() async throws {
    for behaviour in Behaviour.allCases {
      do { try await call(behaviour) } catch {}
    }
    try await call(.answer)
    let labels = "grpc_service=\"ponos.Test\",grpc_method=\"Do\",grpc_type=\"unary\""
    let lines = Set(registry.text().split(separator: "\n").map(String.init))
    #expect(lines.contains("grpc_server_started_total{\(labels)} 7"))
    #expect(lines.contains("grpc_server_handling_seconds_count{\(labels)} 7"))
    let expected = [
      "OK": 2, "AlreadyExists": 1, "ResourceExhausted": 1, "Unknown": 1, "Internal": 1, "Canceled": 1, "NotFound": 0,
    ]
    for (code, count) in expected {
      #expect(lines.contains("grpc_server_handled_total{\(labels),grpc_code=\"\(code)\"} \(count)"), "\(code)")
    }
  }
}
