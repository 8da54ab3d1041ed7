import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
@testable import PonosConfiguration
@testable import PonosExecutor
import PonosStoreTesting
import PonosTesting
import Synchronization
import Testing
@testable import PonosTelemetry

/// The server as its clients see it, through a socket.
@Suite struct OperationsServerTests {
  private struct Answer {
    let status: Int
    let headers: HTTPHeaders
    let body: String
  }

  /// Runs a server and gives `body` a way to ask it.
  private func withServer(
    state: @escaping @Sendable () -> StateDump = { StateDumpFixture.state() }, hosts: Set<String> = [],
    _ body: (_ ask: (HTTPMethod, String, String?) async throws -> Answer) async throws -> Void
  ) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let registry = PrometheusRegistry()
    _ = ExecutorMetrics(registry: registry, avs: [StoreRecords.address(1)], version: "9.9")
    var configuration = OperationsConfig(address: "127.0.0.1", port: 0)
    configuration.hosts = hosts
    let server = OperationsServer(
      configuration: configuration, registry: registry,
      readiness: { state().readiness }, state: state,
      logger: Logger(label: "test"), onListening: { continuation.yield($0) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      let port = try #require(await ports.first { _ in true })
      try await body { method, path, host in
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        if let host { request.headers.replaceOrAdd(name: "Host", value: host) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return Answer(status: Int(response.status.code), headers: response.headers, body: String(buffer: bytes))
      }
      group.cancelAll()
    }
  }

  @Test func liveness() async throws {
    try await withServer { ask in
      let answer = try await ask(.GET, "/healthz", nil)
      #expect(answer.status == 200 && answer.body == "ok\n")
      let head = try await ask(.HEAD, "/healthz", nil)
      #expect(head.status == 200 && head.body.isEmpty)
    }
  }

  @Test func readinessSaysWhatIsMissing() async throws {
    let isReady = Atomic(false)
    try await withServer(state: { StateDumpFixture.state(isReady: isReady.load(ordering: .relaxed)) }) { ask in
      let refused = try await ask(.GET, "/readyz", nil)
      #expect(refused.status == 503)
      #expect(refused.headers.first(name: "content-type") == "application/json; charset=utf-8")
      let object = try #require(try JSONSerialization.jsonObject(with: Data(refused.body.utf8)) as? [String: Any])
      #expect(object["ready"] as? Bool == false)
      let checks = try #require(object["checks"] as? [[String: Any]])
      #expect(checks.first { $0["name"] as? String == "performers" }?["reason"] is String)

      isReady.store(true, ordering: .relaxed)
      let ready = try await ask(.GET, "/readyz", nil)
      #expect(ready.status == 200 && ready.body == "ok\n")
      let verbose = try await ask(.GET, "/readyz?verbose", nil)
      #expect(verbose.status == 200 && verbose.body.contains("\"ready\" : true"))
    }
  }

  @Test("what will be missing before long is named while the executor is ready")
  func whatWillBeMissingBeforeLongIsNamedWhileExecutor() async throws {
    var state = StateDumpFixture.state()
    state.readiness = Readiness(checks: [
      .init(name: "store", isReady: true, reason: "the log grows"), .init(name: "intake", isReady: true),
    ])
    try await withServer(state: { [state] in state }) { ask in
      let answer = try await ask(.GET, "/readyz", nil)
      #expect(answer.status == 200 && answer.body.contains("the log grows") && answer.body.contains("\"ready\" : true"))
      #expect(try await ask(.GET, "/", nil).body.contains("<strong>store</strong> the log grows"))
    }
  }

  @Test func metricsStateAndPage() async throws {
    try await withServer { ask in
      let metrics = try await ask(.GET, "/metrics", nil)
      #expect(metrics.headers.first(name: "content-type") == "text/plain; version=0.0.4; charset=utf-8")
      #expect(metrics.body.contains("ponos_build_info{version=\"9.9\"} 1\n"))
      let state = try await ask(.GET, "/api/v1/state", nil)
      #expect(try JSONDecoder().decode(StateDump.self, from: Data(state.body.utf8)).tasks == StateDumpFixture.state().tasks)
      #expect(!state.body.contains(StateDumpFixture.secret))
      let page = try await ask(.GET, "/", nil)
      #expect(page.headers.first(name: "content-type") == "text/html; charset=utf-8")
      for asset in ["/dashboard.css", "/dashboard.js", "/favicon.svg"] {
        #expect(page.body.contains("\"\(asset.dropFirst())\""), "relative, for a proxy that serves the page below a path")
        #expect(try await ask(.GET, asset, nil).status == 200)
      }
      #expect(try await ask(.GET, "/nowhere", nil).status == 404)
    }
  }

  @Test(arguments: ["/", "/metrics", "/nowhere"]) func everyAnswerIsGuarded(path: String) async throws {
    try await withServer { ask in
      let headers = try await ask(.GET, path, nil).headers
      #expect(headers.first(name: "content-security-policy")?.hasPrefix("default-src 'none'; script-src 'self'") == true)
      #expect(headers.first(name: "x-content-type-options") == "nosniff")
      #expect(headers.first(name: "x-frame-options") == "DENY")
    }
  }

  @Test(arguments: [HTTPMethod.POST, .PUT, .DELETE, .PATCH, .OPTIONS]) func nothingCanBeChanged(method: HTTPMethod) async throws {
    try await withServer { ask in
      for path in ["/", "/api/v1/state", "/nowhere"] {
        let answer = try await ask(method, path, nil)
        #expect(answer.status == 405 && answer.headers.first(name: "allow") == "GET, HEAD")
      }
    }
  }

  @Test(arguments: [
    ("evil.example", 421), ("evil.example:9092", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421),
    ("169.254.169.254", 421), ("localhost", 200), ("LOCALHOST:9092", 200), ("127.0.0.1:1", 200), ("[::1]:9092", 200),
  ]) func aNameFromOutsideIsRefused(host: String, status: Int) async throws {
    try await withServer { ask in
      let answer = try await ask(.GET, "/api/v1/state", host)
      #expect(answer.status == status)
    }
  }

  @Test(arguments: ["/healthz", "/readyz"]) func healthAnswersUnderAnyName(path: String) async throws {
    try await withServer { ask in
      let answer = try await ask(.GET, path, "balancer.example")
      #expect(answer.status == 200)
    }
  }

  @Test func namesThatTheConfigurationGivesAreKnown() async throws {
    try await withServer(hosts: ["node.example"]) { ask in
      #expect(try await ask(.GET, "/", "Node.example:8443").status == 200)
      let refused = try await ask(.GET, "/", "evil.example")
      #expect(refused.status == 421 && refused.body.contains("operations.hosts"))
    }
  }

  @Test func oneAVSThatIsNotServedIsNamedAndTakesNothingFromTheOthers() async throws {
    var state = StateDumpFixture.state()
    state.readiness = Readiness(checks: [
      .init(name: "performers", isReady: true, isComplete: false, reason: "performer p is failed: no such image")
    ])
    try await withServer(state: { [state] in state }) { ask in
      let ready = try await ask(.GET, "/readyz", nil)
      #expect(ready.status == 200 && ready.body.contains("no such image") && ready.body.contains("\"complete\" : false"))
      #expect(try await ask(.GET, "/readyz?strict", nil).status == 503)
    }
  }
}
