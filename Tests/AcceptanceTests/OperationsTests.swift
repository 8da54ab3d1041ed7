import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosDocker
import PonosExecutorTesting
import PonosTesting
import SwiftProtobuf
import Testing

typealias HealthClient = Grpc_Health_V1_Health.Client
typealias HealthStatus = Grpc_Health_V1_HealthCheckResponse.ServingStatus

extension Acceptance {
  @Suite("Operations", .daemon(DaemonConfiguration(.scripted())))
  struct OperationsTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test(
      "/healthz, /readyz, /metrics, /api/v1/state and / answer",
      arguments: [
        ("/healthz", "text/plain"), ("/readyz", "application/json"), ("/metrics", "text/plain"),
        ("/api/v1/state", "application/json"), ("/", "text/html"),
      ])
    func healthzReadyzMetrics(path: String, contentType: String) async throws {
      let page = try await daemon.operations.get(path)
      #expect(page.status == 200)
      #expect(page.contentType?.hasPrefix(contentType) == true || path == "/readyz", "\(page.contentType ?? "none")")
      #expect(!page.body.isEmpty)
    }

    @Test("an unknown path is 404, and the server listens on loopback only")
    func unknownPathIs404() async throws {
      #expect(try await daemon.operations.get("/nothing").status == 404)
      let sockets = try await Command.run(
        "ss", "--no-header", "--listening", "--tcp", "--numeric", "sport = :\(daemon.place.operationsPort)")
      #expect(sockets.contains("127.0.0.1:\(daemon.place.operationsPort)"), "\(sockets)")
      #expect(!sockets.contains("0.0.0.0:\(daemon.place.operationsPort)"))
    }

    @Test("metrics count what happened, in the Prometheus text format")
    func metricsCountWhatHappened() async throws {
      let label = "\(daemon.avs)"
      let names = [
        "ponos_tasks_received_total", "ponos_tasks_accepted_total", "ponos_tasks_executed_total", "ponos_tasks_failed_total",
      ]
      var before: [Double] = []
      for name in names { before.append(try await daemon.operations.metric(name, labels: [label])) }
      for _ in 0..<3 { _ = try await daemon.answer(to: "echo counted") }
      _ = try await daemon.refusal(of: try daemon.submission("error 3 counted"))
      let after = try await daemon.operations.get("/metrics").body
      for (index, expected) in [4.0, 4, 3, 1].enumerated() {
        let value = try await daemon.operations.metric(names[index], labels: [label])
        #expect(value == before[index] + expected, "\(names[index])")
      }
      for line in after.split(separator: "\n") where !line.hasPrefix("#") {
        #expect(line.wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? (-?[0-9.e+-]+|\+Inf|NaN)/) != nil, "\(line)")
      }
      let names2 = after.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
      #expect(Set(names2).count == names2.count, "a metric is declared twice")
    }

    @Test("the processor time and memory of containers are measured")
    func processorTimeAndMemoryOfContainersAreMeasured() async throws {
      let label = "\(daemon.avs)"
      // Processor time is what was used between two samples, ten seconds apart.
      try await eventually(within: .seconds(60)) { [operations = daemon.operations] in
        let memory = try await operations.metric("ponos_container_memory_bytes", labels: [label])
        let processor = try await operations.metric("ponos_container_cpu_seconds_total", labels: [label])
        return memory > Double(1 << 20) && processor > 0
      }
      #expect(try await daemon.operations.metric("ponos_deployment_seconds_count", labels: [label]) == 1)
    }

    @Test("a browser shows the page, keeps it fresh, and has nothing to complain about")
    func browserShowsPage() async throws {
      let submission = try daemon.submission("echo seen in a browser")
      _ = try await daemon.submit(submission)
      let browser = try await Browser.open("http://127.0.0.1:\(daemon.place.operationsPort)/")
      #expect(browser.complaints == [])
      #expect(browser.page.contains("<title>Ponos Executor</title>"))
      #expect(browser.page.contains(String(submission.taskID.prefix(10))), "the last task is not shown")
      #expect(browser.page.contains("\(daemon.avs)") && browser.page.contains(">healthy<"))
      // Written by the page's script, which the content security policy has to let run.
      #expect(browser.page.contains(#"role="status">refreshed every 2 s"#))
    }

    @Test("the state names performers, containers and the last tasks")
    func stateNamesPerformers() async throws {
      let submission = try daemon.submission("echo seen")
      _ = try await daemon.submit(submission)
      let state = try await daemon.operations.state()
      #expect(state.performers.map(\.avs) == [daemon.avs.description])
      #expect(state.performers.map(\.containerID) == [try await daemon.containers.theOnlyOne().id])
      #expect(state.recentTasks.first?.id == submission.taskID)
      #expect(state.recentTasks.first?.phase == "signed")
      #expect(state.installationID != nil)
    }

    @Test("grpc.health.v1 answers on both ports, for the port and for its service, and for no other")
    func grpcHealthV1AnswersOnBothPorts() async throws {
      for (port, service) in [
        (daemon.place.taskPort, "eigenlayer.hourglass.v1.ExecutorService"),
        (daemon.place.managementPort, "eigenlayer.hourglass.v1.ExecutorManagementService"),
      ] {
        for name in ["", service] { #expect(try await status(of: name, port: port) == .serving) }
        let error = try await failure { try await status(of: "acme.Unknown", port: port) }
        #expect(error.code == .notFound)
      }
    }

    private func status(of service: String, port: Int) async throws -> HealthStatus {
      try await daemon.withClient(port: port) { client in
        try await HealthClient(wrapping: client).check(.with { $0.service = service }, options: .within(.seconds(10))).status
      }
    }

    @Test("pings without calls are answered, ten times as many as any peer sends, and the connection stays")
    func pingsWithoutCallsAreAnswered() async throws {
      for port in [daemon.place.taskPort, daemon.place.managementPort] {
        let connection = try RawHTTP2Connection(port: port)
        for number in 1...300 as ClosedRange<UInt64> {
          try connection.ping(number)
          while true {
            let frame = try connection.receive()
            #expect(frame.type != RawHTTP2Connection.FrameType.goAway, "cut off after \(number) pings: \(frame.payload)")
            if frame.type == RawHTTP2Connection.FrameType.goAway { return }
            if frame.type == RawHTTP2Connection.FrameType.ping, frame.flags & 1 == 1 { break }
          }
        }
      }
    }

    @Test("a request of more than the limit is refused, and its connection goes on")
    func requestOfMoreThanLimitIsRefused() async throws {
      var draft = daemon.draft("")
      draft.payload = [UInt8](repeating: 1, count: 5 << 20)
      let submission = try TestAggregator.registered(.ecdsa).sign(draft)
      let error = try await daemon.refusal(of: submission)
      #expect(error.code == .invalidArgument && error.message.hasPrefix("payload "), "\(error)")
      #expect(try await daemon.answer(to: "echo fine") == "fine")
    }

    @Test("management without authentication refuses proofs rather than ignoring them")
    func managementWithoutAuthenticationRefusesProofs() async throws {
      #expect(try await failure { try await daemon.challengeToken() }.code == .unimplemented)
      let proof = try daemon.proof(token: String(repeating: "ab", count: 32))
      #expect(try await failure { try await daemon.performers(proof: proof) }.code == .unimplemented)
      #expect(try await daemon.performers().count == 1)
    }
  }

  @Suite("One port for both services", .daemon(.shared))
  struct SharedPortTests {
    @Test("tasks, management and health on the same port")
    func tasksManagementAndHealthOnTheSamePort() async throws {
      let daemon = try Daemon.ofSuite()
      #expect(daemon.place.taskPort == daemon.place.managementPort)
      #expect(try await daemon.answer(to: "echo one port") == "one port")
      #expect(try await daemon.performers().count == 1)
      let status = try await daemon.withClient(port: daemon.place.taskPort) { client in
        try await HealthClient(wrapping: client).check(.init(), options: .within(.seconds(10))).status
      }
      #expect(status == .serving)
    }
  }
}

extension DaemonConfiguration {
  fileprivate static var shared: DaemonConfiguration {
    var configuration = DaemonConfiguration(.scripted())
    configuration.sharesPort = true
    return configuration
  }
}
