import NIOCore
import NIOPosix
import PonosContainers
import PonosCore
import Synchronization

/// Connections to containers that accept TCP on their port and know nothing of gRPC: the test sets what they say about their health.
package final class FakePerformers: Sendable {
  private struct State {
    var health: ProbeResult
    var healthOf: [String: ProbeResult] = [:]
    var endpoints: [PerformerEndpoint] = []
    var open = 0
  }

  private let state: Mutex<State>

  /// - Parameter health: The answer of performers for which no other was set.
  package init(health: ProbeResult = .serving) {
    state = Mutex(State(health: health))
  }

  /// What every performer says from now on, unless it was set for one.
  package func say(_ health: ProbeResult) {
    state.withLock { $0.health = health }
  }

  /// What the performer says from now on.
  package func say(_ health: ProbeResult, for performerID: String) {
    state.withLock { $0.healthOf[performerID] = health }
  }

  /// Connections made and not closed.
  package var openConnections: Int { state.withLock { $0.open } }

  /// Where connections were made to, in order.
  package var endpoints: [PerformerEndpoint] { state.withLock { $0.endpoints } }

  package func connect(_ endpoint: PerformerEndpoint) -> any PerformerConnection {
    state.withLock { state in
      state.endpoints.append(endpoint)
      state.open += 1
    }
    return Connection(performers: self, endpoint: endpoint)
  }

  private final class Connection: PerformerConnection {
    let performers: FakePerformers
    let endpoint: PerformerEndpoint
    private let isClosed = Atomic(false)

    init(performers: FakePerformers, endpoint: PerformerEndpoint) {
      self.performers = performers
      self.endpoint = endpoint
    }

    func execute(
      _ id: TaskID, payload: [UInt8], timeout: Duration
    ) async throws(PerformerCallError) -> PerformerReply {
      PerformerReply(echoedID: Array(id.description.utf8), output: payload)
    }

    var probe: any Probe { FakeProbe { await self.check(timeout: $0) } }

    private func check(timeout: Duration) async -> ProbeResult {
      do {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
          .connectTimeout(TimeAmount(timeout)).connect(host: endpoint.host, port: endpoint.port).get()
        // The container closes at once as well: the side that comes second need not succeed.
        channel.close(promise: nil)
      } catch {
        return .unreachable("\(error)")
      }
      return performers.state.withLock { $0.healthOf[endpoint.performerID] ?? $0.health }
    }

    func close() async {
      guard !isClosed.exchange(true, ordering: .relaxed) else { return }
      performers.state.withLock { $0.open -= 1 }
    }
  }
}
