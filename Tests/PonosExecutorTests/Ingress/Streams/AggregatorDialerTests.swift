import Logging
import PonosAPI
import PonosContainersTesting
import PonosCore
import PonosExecutorTesting
import PonosTesting
import Testing

@testable import PonosConfiguration
@testable import PonosExecutor

@Suite("Dialling aggregators")
struct AggregatorDialerTests {
  private static func dialer(
    _ stream: StreamRig, port: Int, maximum: Duration = .milliseconds(100)
  ) -> AggregatorDialer {
    AggregatorDialer(
      aggregator: AggregatorConfig(host: "127.0.0.1", port: port, owner: StreamRig.owner()), sessions: stream.sessions,
      policy: ReconnectPolicy(initial: .milliseconds(20), maximum: maximum), logger: .silent)
  }

  @Test("an aggregator that accepts and then says nothing is given up after the time for the handshake, and dialled again")
  func silentAggregator() async throws {
    let stream = try StreamRig { $0.handshakeLimit = 200 }
    try await SilentHTTP2Peer.serve { peer, port in
      let dialling = Task { await Self.dialer(stream, port: port).run() }
      try await eventually { peer.connections >= 2 && peer.departures >= 1 }
      stream.sessions.stop()
      await dialling.value
      #expect(stream.sessions.sessionCount == 0)
    }
  }

  @Test("one that says nothing does not keep a daemon that stops, however long the handshake may take")
  func silentAtShutdown() async throws {
    let stream = try StreamRig { $0.handshakeLimit = 600_000 }
    try await SilentHTTP2Peer.serve { peer, port in
      let dialling = Task { await Self.dialer(stream, port: port).run() }
      try await eventually { peer.connections == 1 }
      let start = ContinuousClock.now
      stream.sessions.stop()
      await dialling.value
      #expect(ContinuousClock.now - start < .seconds(20))
    }
  }

  @Test("an aggregator that has opened a session itself is not dialled, and is when that ends")
  func superseded() async throws {
    let stream = try StreamRig()
    stream.rig.publish(.echo())
    let (hosting, dialling) = (StreamRig.aggregator(), StreamRig.aggregator())
    try await stream.serve { taskPort in
      try await hosting.hosting { port in
        let dialer = Task { await Self.dialer(stream, port: port).run() }
        try await eventually { hosting.sessions == 1 }
        try await dialling.dialling(port: taskPort) {
          try await eventually { dialling.sessions == 1 && hosting.ends.count == 1 }
          // Many times the longest pause of the dialer.
          for number in 0..<5 {
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await dialling.submit(PipelineRig.draft("\(number)"))?.result != nil)
          }
          #expect(hosting.sessions == 1 && dialling.sessions == 1)
        }
        try await eventually { hosting.sessions == 2 }
        stream.sessions.stop()
        await dialer.value
      }
    }
  }
}
