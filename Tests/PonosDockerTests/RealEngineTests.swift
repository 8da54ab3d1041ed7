import Foundation
import PonosCore
import PonosDocker
import PonosTesting
import Testing

/// Against the engine at `DOCKER_HOST`.
@Suite("A real engine")
struct RealEngineTests {
  let docker: DockerClient
  let label = "ponos.test.run=\(UUID())"

  init() async throws {
    docker = DockerClient(endpoint: try DockerEndpoint.fromEnvironment(ProcessInfo.processInfo.environment))
    _ = try await StubImage.ensure(on: docker)
  }

  @Test("answers ping, version and info")
  func answersPingVersionAndInfo() async throws {
    try await docker.ping()
    let version = try await docker.version()
    #expect(version.apiVersion >= .oldestSpoken)
    #expect(version.minAPIVersion <= version.apiVersion)
    let info = try await docker.info()
    #expect(info.cpus > 0 && info.memoryBytes > 0)
  }

  @Test("creates, starts, lists, inspects, measures, stops and removes a container")
  func createsStartsLists() async throws {
    try await withContainer { id in
      #expect(try await docker.container(id).state.status == "created")
      try await docker.startContainer(id)
      try await docker.startContainer(id)
      #expect(try await docker.containers(labels: [label], all: false).map(\.id) == [id])
      let details = try await docker.container(id)
      #expect(details.state.isRunning)
      #expect(details.config.environment.contains("A=b c"))
      #expect(details.addresses.values.contains { !$0.isEmpty })
      #expect(try await docker.usage(ofContainer: id).memoryLimitBytes == 32 << 20)
      try await eventually { try await docker.logTail(ofContainer: id, lines: 10).contains("stub: uid 0") }
      try await docker.stopContainer(id, grace: .seconds(5))
      try await docker.stopContainer(id, grace: .seconds(5))
      #expect(try await docker.waitForContainer(id, limit: .seconds(5)).statusCode == 0)
      #expect(try await docker.containers(labels: [label], all: false).isEmpty)
      try await docker.removeContainer(id, force: false)
      try await docker.removeContainer(id, force: true)
      let gone = await #expect(throws: DockerError.self) { try await docker.container(id) }
      #expect(gone?.code == .notFound)
    }
  }

  @Test("reports exit code and last words of a container that failed")
  func reportsExitCodeAndLastWordsOfContainerThatFailed() async throws {
    try await withContainer(environment: ["STUB_MODE=exit"]) { id in
      try await docker.startContainer(id)
      #expect(try await docker.waitForContainer(id, limit: .seconds(10)).statusCode == 3)
      let lines = try await docker.logTail(ofContainer: id, lines: 5)
      #expect(Set(lines) == ["stub: mode exit", "stub: no answer to be found"])
      #expect(try await docker.logTail(ofContainer: id, lines: 1).count == 1)
      let details = try await docker.container(id)
      #expect(!details.state.isRunning && details.state.exitCode == 3)
      let kill = await #expect(throws: DockerError.self) { try await docker.killContainer(id) }
      #expect(kill?.code == .conflict)
    }
  }

  @Test("tells of a container that dies, and of one that runs out of memory")
  func tellsOfContainerThatDies() async throws {
    let seen = Collected<EngineEvent>()
    let opened = Collected<Bool>()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await docker.containerEvents(labels: [label], actions: ["die", "oom", "start"]) {
          opened.append(true)
        } handle: {
          seen.append($0)
        }
      }
      try await eventually { !opened.values.isEmpty }
      try await withContainer(environment: ["STUB_MODE=eat"]) { id in
        try await docker.startContainer(id)
        try await eventually { Set(seen.values.map(\.action)).isSuperset(of: ["start", "oom", "die"]) }
        let die = try #require(seen.values.first { $0.action == "die" })
        #expect(die.actorID == id && die.attributes["exitCode"] == "137" && die.timeNanoseconds > 0)
      }
      group.cancelAll()
      while let result = await group.nextResult() {
        if case .failure(let error) = result { #expect((error as? DockerError)?.code == .cancelled) }
      }
    }
  }

  @Test("refuses a taken name, an unknown image and a missing container with their own codes")
  func refusesTakenName() async throws {
    let name = "ponos-test-\(UUID())"
    try await withContainer(name: name) { _ in
      let taken = await #expect(throws: DockerError.self) {
        try await docker.createContainer(ContainerCreation(image: StubImage.reference), name: name)
      }
      #expect(taken?.code == .conflict)
    }
    let unknown = await #expect(throws: DockerError.self) {
      try await docker.createContainer(ContainerCreation(image: "ponos-test/none:1"), name: name)
    }
    #expect(unknown?.code == .notFound)
    let missing = await #expect(throws: DockerError.self) { try await docker.startContainer(name) }
    #expect(missing?.code == .notFound)
  }

  @Test("creates, finds and removes an internal network")
  func createsFindsAndRemovesInternalNetwork() async throws {
    let name = "ponos-test-\(UUID())"
    // Not from the engine's own pools, which others may have used up.
    let routes = try String(contentsOfFile: "/proc/net/route", encoding: .utf8)
    let subnet = try #require(AddressReserve.candidates(for: name, notIn: IPv4Subnet.routed(by: routes), limit: 1).first)
    let creation = NetworkCreation(
      name: name, isInternal: true, labels: ["ponos.test.run": String(label.dropFirst(15))], subnet: "\(subnet)")
    let id = try await docker.createNetwork(creation)
    do {
      #expect(try await docker.network(name)?.id == id)
      #expect(try await docker.network(id)?.isInternal == true)
      #expect(try await docker.networks(labels: [label]).map(\.name) == [name])
      let taken = await #expect(throws: DockerError.self) { try await docker.createNetwork(creation) }
      #expect(taken?.code == .conflict)
    } catch {
      try await docker.removeNetwork(id)
      throw error
    }
    try await docker.removeNetwork(id)
    try await docker.removeNetwork(id)
    #expect(try await docker.network(name) == nil)
  }

  @Test("tags, finds and removes an image")
  func tagsFindsAndRemovesImage() async throws {
    let id = try await StubImage.ensure(on: docker)
    let tag = "run-\(UUID())"
    try await docker.tagImage(StubImage.reference, repository: StubImage.repository, tag: tag)
    #expect(try await docker.image("\(StubImage.repository):\(tag)")?.id == id)
    #expect(try await docker.images(labels: ["ponos.test=stub"]).contains { $0.id == id })
    try await docker.removeImage("\(StubImage.repository):\(tag)")
    try await docker.removeImage("\(StubImage.repository):\(tag)")
    #expect(try await docker.image("\(StubImage.repository):\(tag)") == nil)
    #expect(try await docker.image(id) != nil)
  }

  @Test("says why a pull fails")
  func saysWhyPullFails() async throws {
    let refused = await #expect(throws: DockerError.self) {
      try await docker.pullImage(repository: "127.0.0.1:1/none", version: "1")
    }
    #expect(refused?.code == .registryUnavailable)
    let malformed = await #expect(throws: DockerError.self) {
      try await docker.pullImage(repository: "127.0.0.1:1/None", version: "1")
    }
    #expect(malformed?.code == .invalidReference)
  }

  @Test("says why a build fails")
  func saysWhyBuildFails() async throws {
    var tar = TarArchive()
    tar.add("Dockerfile", Data("FROM scratch\nCOPY missing /\n".utf8))
    let context = tar.finish()
    let error = await #expect(throws: DockerError.self) {
      try await docker.buildImage(context: context, tag: "ponos-test/broken:1")
    }
    #expect(error?.code == .buildFailed)
    #expect(error?.cause?.contains("missing") == true)
  }

  private func withContainer(
    name: String = "ponos-test-\(UUID())", environment: [String] = [], _ body: (String) async throws -> Void
  ) async throws {
    var creation = ContainerCreation(image: StubImage.reference, environment: ["A=b c"] + environment)
    creation.labels = ["ponos.test.run": String(label.dropFirst(15))]
    creation.hostConfig.memory = 32 << 20
    creation.hostConfig.memorySwap = 32 << 20
    let id = try await docker.createContainer(creation, name: name)
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(id)) } catch { outcome = .failure(error) }
    try await docker.removeContainer(id, force: true)
    try outcome.get()
  }
}
