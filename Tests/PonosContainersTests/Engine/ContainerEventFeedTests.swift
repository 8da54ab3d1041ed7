import Logging
import PonosCore
import PonosDocker
import PonosTesting
import Testing
@testable import PonosContainers

@Suite("Container event feed")
struct ContainerEventFeedTests {
  private func feed(
    _ docker: DockerClient, reconnect: RestartPolicy, logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    compare: @escaping @Sendable () async throws(DockerError) -> Void = { () async throws(DockerError) in }
  ) -> ContainerEventFeed {
    let networks = PerformerNetworks(docker: docker, installationID: "i", joinedNetwork: nil)
    let runtime = DockerRuntime(
      docker: docker, installationID: "i", networks: networks, executorEnvironment: [:], stopGrace: .seconds(1))
    return ContainerEventFeed(runtime: runtime, logger: logger, reconnect: reconnect, deliver: { _ in }, compare: compare)
  }

  private static func events(_ server: ScriptedSocketServer) -> Int {
    server.requests.filter { $0.path == "/events" }.count
  }

  private static func engine(
    security: String, events: [ScriptedSocketServer.Step]
  ) -> @Sendable (ScriptedSocketServer.Request) -> [ScriptedSocketServer.Step] {
    { request in
      switch request.path {
      case "/version": .version()
      case "/info": .reply(200, #"{"Name":"host","SecurityOptions":[\#(security)]}"#)
      default: events
      }
    }
  }

  @Test("asks an engine that ends every stream at once less and less often", arguments: [true, false])
  func asksEngineThatEndsEveryStreamAtOnceLessAndLess(comparesWell: Bool) async throws {
    let script = Self.engine(security: #""name=seccomp,profile=default""#, events: .stream([]))
    try await ScriptedSocketServer.run(script: script) { server in
      let start = ContinuousClock.now
      try await withThrowingTaskGroup(of: Void.self) { group in
        let feed = feed(server.client(), reconnect: RestartPolicy(firstDelay: .milliseconds(16), longestDelay: .seconds(60))) {
          () async throws(DockerError) in
          if !comparesWell { throw DockerError(.engineFailed, "a container cannot be removed") }
        }
        group.addTask { await feed.run() }
        defer { group.cancelAll() }
        try await eventually { Self.events(server) >= 8 }
      }
      // 16 + 32 + … + 1024 ms before the eighth.
      #expect(ContinuousClock.now - start >= .milliseconds(2032))
    }
  }

  @Test(
    "warns, once, of an engine that filters no system calls",
    arguments: [
      (#""name=seccomp,profile=unconfined""#, 1), (#""name=apparmor""#, 1),
      (#""name=seccomp,profile=builtin","name=cgroupns""#, 0),
    ])
  func warnsOnceOfEngineThatFiltersNoSystemCalls(security: String, warnings: Int) async throws {
    let log = Collected<String>()
    let script = Self.engine(security: security, events: .stream([]))
    try await ScriptedSocketServer.run(script: script) { server in
      let logger = Logger(label: "test") { _ in CollectingLogHandler(log) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        let feed = feed(
          server.client(), reconnect: RestartPolicy(firstDelay: .milliseconds(1), longestDelay: .milliseconds(1)), logger: logger)
        group.addTask { await feed.run() }
        defer { group.cancelAll() }
        try await eventually { Self.events(server) >= 5 }
      }
    }
    #expect(log.values.filter { $0.contains("seccomp") }.count == warnings)
  }
}
