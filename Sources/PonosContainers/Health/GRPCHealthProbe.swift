import GRPCCore
import PonosAPI
import PonosCore
import PonosTransport

/// Asks `grpc.health.v1.Health`, over the connection that carries the performer's tasks.
struct GRPCHealthProbe: Probe {
  let client: GRPCClient<ClientTransportInUse>

  func check(timeout: Duration) async -> ProbeResult {
    var options = CallOptions.defaults
    options.waitForReady = false
    do {
      let stub = Grpc_Health_V1_Health.Client(wrapping: client)
      let reply = try await CallDeadline.after(timeout) {
        try await stub.check(Grpc_Health_V1_HealthCheckRequest(), options: options)
      }
      return reply.status == .serving ? .serving : .notServing("its health service says \(reply.status)")
    } catch let error as RPCError where error.code == .deadlineExceeded {
      return .timedOut("its health service did not answer within \(timeout)")
    } catch let error as RPCError where error.code != .unavailable {
      return .notServing("its health service answers \(error.code): \(error.message)")
    } catch {
      return .unreachable("\(error)")
    }
  }
}
