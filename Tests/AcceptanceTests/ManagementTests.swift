import GRPCCore
import PonosAPI
import PonosCore
import PonosDocker
import PonosTesting
import SwiftProtobuf
import Testing

extension Acceptance {
  @Suite("Deploying by the management API", .localRegistry)
  struct ManagementTests {
    let registry: LocalRegistry

    init() throws { registry = try LocalRegistry.ofSuite() }

    @Test("deploy, list, replace, remove, deploy again: from a registry, by digest")
    func deployListReplace() async throws {
      let image = try await registry.push(Images.scripted, as: "acme/scripted")
      try await Daemon.running(DaemonConfiguration(DaemonConfiguration.AVS())) { daemon in
        #expect(try await daemon.performers().isEmpty)
        let deploymentID = try await daemon.deploy(image, environment: ["GREETING": "hello"])
        #expect(deploymentID.hasPrefix("deployment-\(daemon.avs)-"))
        #expect(try await daemon.answer(to: "env GREETING") == "hello")

        let first = try await expectOneListed(daemon, image: image)
        #expect(try await daemon.performers(ofAVS: "0x" + daemon.avs.description.dropFirst(2).uppercased()) == [first])
        #expect(try await daemon.performers(ofAVS: Refusal.stranger.description).isEmpty)

        try await daemon.deploy(image, environment: ["GREETING": "good-bye"])
        #expect(try await daemon.answer(to: "env GREETING") == "good-bye")
        let second = try await wait(for: "the first performer to be gone") {
          let listed = try await daemon.performers()
          return listed.count == 1 && listed[0].performerID != first.performerID ? listed[0] : nil
        }
        try await wait(until: "the first container to be gone") { try await daemon.containers.all().count == 1 }

        try await daemon.removePerformer(second.performerID)
        #expect(try await daemon.performers().isEmpty)
        #expect(try await daemon.containers.all().isEmpty)
        #expect(try await daemon.refusal(of: try daemon.submission("echo x")).ponosCode == "no_performer")

        try await daemon.deploy(image)
        #expect(try await daemon.answer(to: "echo again") == "again")
      }
    }

    private func expectOneListed(_ daemon: Daemon, image: RegistryImage) async throws -> ListedPerformer {
      let listed = try await daemon.performers()
      #expect(listed.count == 1)
      let performer = try #require(listed.first)
      #expect(performer.performerID.hasPrefix("performer-\(daemon.avs)-"))
      #expect(performer.avsAddress == daemon.avs.description)
      #expect(performer.status == "InService")
      #expect(performer.artifactRegistry == image.repository)
      #expect(performer.artifactDigest == image.digest)
      #expect(performer.artifactTag == "")
      #expect(performer.resourceHealthy && performer.applicationHealthy)
      #expect(performer.lastHealthCheck.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)/) != nil)
      #expect(performer.containerID == (try await daemon.containers.theOnlyOne().id))
      return performer
    }

    @Test("a task that runs during a deployment is answered by the old performer, and none is lost")
    func taskThatRunsDuringDeploymentIsAnsweredByOld() async throws {
      let image = try await registry.push(Images.scripted, as: "acme/drained")
      try await Daemon.running(DaemonConfiguration(DaemonConfiguration.AVS())) { daemon in
        try await daemon.deploy(image, environment: ["NAME": "old"])
        async let slow = daemon.answer(to: "delay 4000 finished by the old one")
        try await wait(until: "the slow task to run") {
          try await daemon.operations.state().recentTasks.contains { $0.phase == "executing" }
        }
        let steady = Task { () -> [String] in
          var answers: [String] = []
          while !Task.isCancelled {
            do { answers.append(try await daemon.answer(to: "env NAME")) } catch {
              // The call that the end of the test cuts off.
              guard Task.isCancelled else { throw error }
            }
          }
          return answers
        }
        try await daemon.deploy(image, environment: ["NAME": "new"])
        #expect(try await daemon.answer(to: "env NAME") == "new")
        steady.cancel()
        let answers = try await steady.value
        #expect(answers == answers.sorted(by: >), "from old to new, and never back: \(answers)")
        #expect(try await slow == "finished by the old one")
        try await wait(until: "the old container to be gone") { try await daemon.containers.all().count == 1 }
      }
    }

    @Test("a second deployment of the same AVS at once is refused, and the first one is not disturbed")
    func secondDeploymentOfTheSameAVSAtOnceIsRefused() async throws {
      let image = try await registry.push(Images.scripted, as: "acme/slow")
      try await Daemon.running(DaemonConfiguration(DaemonConfiguration.AVS())) { daemon in
        async let first = daemon.deploy(image, environment: ["SCRIPT_START_DELAY_MS": "3000"])
        try await wait(until: "the first deployment's container to run") { try await daemon.containers.running().count == 1 }
        let error = try await failure { try await daemon.deploy(image) }
        #expect(error.code == .alreadyExists)
        #expect(error.ponosCode == "deployment_in_progress")
        _ = try await first
        #expect(try await daemon.answer(to: "echo first") == "first")
        try await daemon.deploy(image)
      }
    }

    @Test("what was deployed comes back after the daemon was stopped, in the same container")
    func whatWasDeployedComesBackAfterDaemonWasStopped() async throws {
      let image = try await registry.push(Images.scripted, as: "acme/lasting")
      try await Daemon.running(DaemonConfiguration(DaemonConfiguration.AVS())) { daemon in
        try await daemon.deploy(image, environment: ["NAME": "kept"])
        let before = try await daemon.containers.theOnlyOne().id
        #expect(try await daemon.stop() == 0)
        #expect(try await daemon.containers.theOnlyOne().id == before)
        try await daemon.start()
        #expect(try await daemon.answer(to: "env NAME") == "kept")
        #expect(try await daemon.containers.theOnlyOne().id == before)
        #expect(try await daemon.performers().map(\.containerID) == [before])

        // And where the container is gone meanwhile, a new one is made of what is stored.
        #expect(try await daemon.stop() == 0)
        try await daemon.containers.removeAll()
        try await daemon.start()
        #expect(try await daemon.answer(to: "env NAME") == "kept")
      }
    }
  }

  @Suite("Deployments that fail", .localRegistry, .daemon(DaemonConfiguration(.scripted())))
  struct FailedDeploymentTests {
    let registry: LocalRegistry
    let daemon: Daemon

    init() throws {
      registry = try LocalRegistry.ofSuite()
      daemon = try Daemon.ofSuite()
    }

    /// Deploys what cannot work, with tasks coming in all the time; returns the error.
    private func failedDeployment(of image: RegistryImage, environment: [String: String] = [:]) async throws -> RPCError {
      let daemon = daemon
      let before = try await daemon.containers.theOnlyOne().id
      let steady = Task { () -> Int in
        var answered = 0
        while !Task.isCancelled {
          do {
            guard try await daemon.answer(to: "echo steady") == "steady" else { break }
            answered += 1
          } catch {
            // The call that the end of the deployment cuts off.
            guard Task.isCancelled else { throw error }
          }
        }
        return answered
      }
      let error = try await failure { try await daemon.deploy(image, environment: environment) }
      steady.cancel()
      _ = try await steady.value
      let answer = try await daemon.answer(to: "echo still here")
      #expect(answer == "still here")
      try await wait(until: "the failed performer to be gone") { try await daemon.performers().count == 1 }
      #expect(try await daemon.containers.all().map(\.id) == [before])
      #expect(await daemon.operations.isReady())
      return error
    }

    @Test("a performer that ends at once: its last words are told, and the old one goes on")
    func performerThatEndsAtOnce() async throws {
      let image = try await registry.push(Images.scripted, as: "acme/exits")
      let error = try await failedDeployment(of: image, environment: ["SCRIPT_LIFETIME_MS": "1"])
      #expect(error.ponosCode == "performer_exited")
      #expect(error.code == .failedPrecondition)
    }

    @Test("a digest the registry does not have")
    func digestRegistryDoesNotHave() async throws {
      let image = try await registry.push(Images.scripted, as: "acme/known")
      let unknown = RegistryImage(repository: image.repository, digest: "sha256:" + String(repeating: "0", count: 64))
      let error = try await failedDeployment(of: unknown)
      #expect(error.ponosCode == "image_not_found")
      #expect(error.code == .notFound)
      #expect(error.message.contains(unknown.repository), "\(error.message)")
    }

    @Test("a layer the registry lost: the engine says so only inside its stream of progress")
    func layerRegistryLost() async throws {
      let error = try await failedDeployment(of: try await registry.pushDamaged(.missing))
      #expect(["image_not_found", "image_corrupt", "registry_unavailable"].contains(error.ponosCode))
      #expect(error.message.lowercased().contains("blob"), "the registry's words are missing: \(error.message)")
    }

    @Test("a layer with other content than its digest says")
    func layerWithOtherContentThanItsDigestSays() async throws {
      let error = try await failedDeployment(of: try await registry.pushDamaged(.altered))
      #expect(error.ponosCode == "image_corrupt")
      #expect(error.code == .failedPrecondition)
    }

    @Test("a registry that is not there")
    func registryThatIsNotThere() async throws {
      let port = try FreePorts.find(1)[0]
      let image = RegistryImage(repository: "127.0.0.1:\(port)/nobody", digest: "sha256:" + String(repeating: "1", count: 64))
      let error = try await failedDeployment(of: image)
      #expect(error.ponosCode == "registry_unavailable")
      #expect(error.code == .unavailable)
    }

    @Test(
      "a request that says nothing useful is refused by the name of the field",
      arguments: [
        ("avs_address", "") as (String, String), ("avs_address", "0x12"), ("digest", ""), ("digest", "sha256:abc"),
        ("digest", "latest"),
        ("registry_url", ""), ("registry_url", "http://127.0.0.1:1/x"), ("registry_url", "127.0.0.1:1/x:1"),
        ("registry_url", "127.0.0.1:1/UPPER"), ("registry_url", "127.0.0.1:1/x y"), ("env.name", ""), ("env.name", "A=B"),
      ])
    func requestThatSaysNothingUsefulIsRefusedByName(field: String, value: String) async throws {
      let digest = "sha256:" + String(repeating: "2", count: 64)
      var request = daemon.deployment(of: RegistryImage(repository: "127.0.0.1:1/x", digest: digest))
      switch field {
      case "avs_address": request.avsAddress = value
      case "digest": request.digest = value
      case "registry_url": request.registryURL = value
      default: request.env = [.with { $0.name = value }]
      }
      let call = request
      let error = try await failure {
        try await daemon.withManagement { try await $0.deployArtifact(call, options: .within(.seconds(30))) }
      }
      #expect(error.code == .invalidArgument)
      #expect(error.message.contains(field), "\(error.message)")
    }

    @Test("removing what is not there")
    func removingWhatIsNotThere() async throws {
      #expect(try await failure { try await daemon.removePerformer("") }.code == .invalidArgument)
      let error = try await failure { try await daemon.removePerformer("performer-of-nobody") }
      #expect(error.code == .notFound)
      #expect(error.ponosCode == "performer_unknown")
    }
  }
}
