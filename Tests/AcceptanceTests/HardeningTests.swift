import Foundation
import PonosCore
import PonosDocker
import PonosTesting
import Testing

extension Acceptance {
  /// What the engine says of a performer's container, and what the performer finds when it tries.
  @Suite("Container hardening", .daemon(.hardened))
  struct HardeningTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test("the engine was told to take everything away that a performer does not need")
    func engineWasToldToTakeEverythingAwayThatPerformer() async throws {
      let container = try await daemon.containers.theOnlyOne()
      let details = try await PerformerContainers.inspect(container.id)
      let host = try #require(details["HostConfig"] as? [String: Any])
      #expect(host["CapDrop"] as? [String] == ["ALL"])
      #expect((host["CapAdd"] as? [String] ?? []).isEmpty)
      #expect(host["Privileged"] as? Bool == false)
      #expect(host["ReadonlyRootfs"] as? Bool == true)
      let security = try #require(host["SecurityOpt"] as? [String])
      #expect(security.contains { $0.hasPrefix("no-new-privileges") && !$0.hasSuffix("false") })
      #expect(
        !security.contains { $0.contains("seccomp") || $0.contains("apparmor=unconfined") }, "the engine's own profiles hold")
      #expect(host["Memory"] as? Int == 256 << 20)
      #expect(host["MemorySwap"] as? Int == 256 << 20, "no swap on top of the memory")
      #expect(host["NanoCpus"] as? Int == 1_500_000_000)
      #expect(host["PidsLimit"] as? Int == 64)
      let tmpfs = try #require(host["Tmpfs"] as? [String: String])
      #expect(Set(tmpfs.keys) == ["/tmp"])
      #expect(try #require(tmpfs["/tmp"]).contains("size=\(16 << 20)"))
      for option in ["noexec", "nosuid", "nodev"] { #expect(try #require(tmpfs["/tmp"]).contains(option)) }
      #expect(host["ShmSize"] as? Int == 16 << 20)
      #expect((host["Binds"] as? [String] ?? []).isEmpty)
      #expect((host["Mounts"] as? [Any] ?? []).isEmpty)
      #expect((host["Devices"] as? [Any] ?? []).isEmpty)
      for namespace in ["PidMode", "IpcMode", "UTSMode", "UsernsMode"] {
        #expect(host[namespace] as? String != "host", "\(namespace)")
      }
      let log = try #require(host["LogConfig"] as? [String: Any])
      let options = try #require(log["Config"] as? [String: String])
      #expect(options["max-size"] != nil && options["max-file"] != nil)
    }

    @Test("nothing is published, and its network belongs to its AVS alone and leads nowhere")
    func nothingIsPublished() async throws {
      let container = try await daemon.containers.theOnlyOne()
      let details = try await PerformerContainers.inspect(container.id)
      let host = try #require(details["HostConfig"] as? [String: Any])
      #expect((host["PortBindings"] as? [String: Any] ?? [:]).isEmpty)
      #expect(host["PublishAllPorts"] as? Bool == false)
      let settings = try #require(details["NetworkSettings"] as? [String: Any])
      let networks = try #require(settings["Networks"] as? [String: Any])
      let name = try #require(networks.keys.first)
      #expect(networks.count == 1)
      #expect(!["bridge", "host", "none"].contains(name))
      let text = try await Command.run("docker", "network", "inspect", name)
      let list = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
      let network = try #require(list.first)
      #expect(network["Internal"] as? Bool == true)
      #expect((network["Containers"] as? [String: Any])?.count == 1)
    }

    @Test("labels say whose it is: installation, AVS, performer and generation")
    func labelsSayWhoseItIs() async throws {
      let container = try await daemon.containers.theOnlyOne()
      let state = try await daemon.operations.state()
      let performer = try #require(state.performers.first)
      #expect(container.labels["dev.ponos.installation"] == state.installationID)
      #expect(container.labels["dev.ponos.avs"] == daemon.avs.description)
      #expect(container.labels["dev.ponos.performer"] == performer.id)
      #expect(container.labels["dev.ponos.generation"] == "\(performer.generation)")
      #expect(container.id == performer.containerID)
    }

    @Test(
      "the performer itself finds no capabilities, no way to new privileges, a system call filter, and two small places to write")
    func performerItselfFindsNoCapabilities() async throws {
      let report = try await daemon.answer(to: "inspect")
      let lines = report.split(separator: "\n").reduce(into: [String: String]()) { lines, line in
        let parts = line.split(separator: ":", maxSplits: 1)
        lines[String(parts[0])] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
      }
      #expect(lines["uid"] == "65532", "the user of the image")
      #expect(lines["CapEff"] == "0000000000000000")
      #expect(lines["CapBnd"] == "0000000000000000")
      #expect(lines["NoNewPrivs"] == "1")
      #expect(lines["Seccomp"] == "2")
      #expect(lines["write /"]?.hasPrefix("refused") == true)
      #expect(lines["write /tmp"] == "allowed")
      #expect(lines["write /dev/shm"] == "allowed")
      #expect(lines["write /proc/sys/kernel"]?.hasPrefix("refused") == true)
      let names = Set((lines["environment"] ?? "").split(separator: " ").map(String.init))
      // Docker itself sets the first two.
      #expect(names.subtracting(["PATH", "HOSTNAME", "HOME", "GREETING"]).isEmpty, "\(names)")
      #expect(names.contains("GREETING"))
    }

    @Test("a performer that takes more memory than it may is ended alone, and replaced")
    func performerThatTakesMoreMemoryThanItMayIsEnded() async throws {
      let container = try await daemon.containers.theOnlyOne().id
      let error = try await daemon.refusal(of: try daemon.submission("allocate \(600 << 20)"))
      #expect(["performer_unreachable", "performer_crashed", "task_timed_out"].contains(error.ponosCode))
      try await wait(until: "another container to serve", within: .seconds(60)) {
        let running = try await daemon.containers.running().map(\.id)
        guard running.count == 1, running != [container] else { return false }
        return try await daemon.serves(daemon.avs)
      }
    }
  }
}

extension DaemonConfiguration {
  fileprivate static var hardened: DaemonConfiguration {
    var avs = AVS.scripted()
    avs.environment = ["GREETING": "hello"]
    avs.resources = ["memory": "256Mi", "cpus": "1.5", "pids": "64", "tmpfs": "16Mi"]
    avs.taskTimeout = "3s"
    return DaemonConfiguration(avs)
  }
}
