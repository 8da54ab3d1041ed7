import Foundation
import PonosAPI
import PonosCore
import PonosDocker
import PonosTesting
import SwiftProtobuf
import Testing

/// Texts that would be found if a secret leaked.
private enum Canary {
  static let password = "canary-keystore-password-7f3a"
  static let performerValue = "canary-performer-variable-91bd"
  static let daemonVariable = "canary-daemon-variable-2c64"
  static let unusedVariable = "canary-unused-variable-e85f"
}

extension Acceptance {
  @Suite("Secrets", .daemon(.withCanaries))
  struct SecretsTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    /// Everything that must stay inside: passwords, both private keys in every spelling, values of variables.
    private var secrets: [String] {
      let keys = [TestKeys.executorHex(.ecdsa), TestKeys.executorHex(.bn254)].map { String($0.dropFirst(2)) }
      return [Canary.password, Canary.performerValue, Canary.daemonVariable, Canary.unusedVariable] + keys
    }

    @Test("no log, metric, state, page or error carries a secret, at debug level and after failures")
    func noLogMetric() async throws {
      _ = try await daemon.answer(to: "echo ordinary")
      _ = try await daemon.refusal(of: try daemon.submission("error 3 ordinary"))
      var bad = try daemon.submission("echo tampered")
      bad.payload.append(1)
      _ = try await daemon.refusal(of: bad)
      let container = try await daemon.containers.theOnlyOne().id
      try await daemon.containers.kill(container)
      try await wait(until: "a new container to serve") {
        let running = try await daemon.containers.running().map(\.id)
        guard running.count == 1, running != [container] else { return false }
        return try await daemon.serves(daemon.avs)
      }
      for path in ["/healthz", "/readyz", "/metrics", "/api/v1/state", "/"] {
        expectNoSecret(in: try await daemon.operations.get(path).body, called: path)
      }
      expectNoSecret(in: daemon.log, called: "the log")
      #expect(daemon.log.contains("debug") || daemon.log.contains("DEBUG"), "nothing was logged at debug level")
    }

    @Test("payloads and signatures of tasks are not logged")
    func payloadsAndSignaturesOfTasksAreNotLogged() async throws {
      let payload = "echo canary-payload-5d1e"
      let submission = try daemon.submission(payload)
      let result = try await daemon.submit(submission)
      for text in [
        "canary-payload-5d1e", Hex.encode(Array(payload.utf8)), Hex.encode(submission.signature),
        Hex.encode(result.resultSignature),
      ] {
        #expect(!daemon.log.contains(text))
        #expect(try await daemon.operations.get("/api/v1/state").body.contains(text) == false)
      }
    }

    @Test("the performer gets its own variables and nothing of the daemon's")
    func performerGetsItsOwnVariablesAndNothingOfDaemons() async throws {
      let details = try await PerformerContainers.inspect(try await daemon.containers.theOnlyOne().id)
      let state = try #require(details["State"] as? [String: Any])
      let pid = try #require(state["Pid"] as? Int)
      let environ = try Data(contentsOf: URL(filePath: "/proc/\(pid)/environ"))
      let variables = environ.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      #expect(variables.contains("OWN_VALUE=\(Canary.performerValue)"))
      #expect(variables.contains("TAKEN_VALUE=\(Canary.daemonVariable)"))
      let names = Set(variables.compactMap { $0.split(separator: "=").first.map(String.init) })
      #expect(names.isSubset(of: ["PATH", "HOSTNAME", "HOME", "OWN_VALUE", "TAKEN_VALUE"]), "\(names)")
      for secret in secrets where ![Canary.performerValue, Canary.daemonVariable].contains(secret) {
        #expect(variables.allSatisfy { !$0.contains(secret) })
      }
      #expect(try await daemon.answer(to: "env OWN_VALUE") == Canary.performerValue)
    }

    @Test("the command line and the files that others may read hold no secret")
    func commandLineAndFilesThatOthersMayReadHoldNoSecret() async throws {
      let pid = try #require(daemon.child?.id)
      let command = try String(contentsOf: URL(filePath: "/proc/\(pid)/cmdline"), encoding: .utf8)
      expectNoSecret(in: command, called: "the command line")
      for suffix in ["", "-wal"] {
        let path = daemon.place.database.path + suffix
        guard let data = FileManager.default.contents(atPath: path) else { continue }
        for secret in [Canary.password, Canary.unusedVariable, String(TestKeys.executorHex(.ecdsa).dropFirst(2))] {
          #expect(data.range(of: Data(secret.utf8)) == nil, "\(path)")
        }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(try #require(mode) & 0o077 == 0, "\(path) can be read by others")
      }
    }

    private func expectNoSecret(in text: String, called place: String, sourceLocation: SourceLocation = #_sourceLocation) {
      for secret in secrets {
        #expect(!text.localizedCaseInsensitiveContains(secret), "\(place) contains a secret", sourceLocation: sourceLocation)
      }
    }
  }
}

extension DaemonConfiguration {
  fileprivate static var withCanaries: DaemonConfiguration {
    var avs = AVS.scripted()
    avs.environment = ["OWN_VALUE": Canary.performerValue]
    avs.environmentFromDaemon = ["TAKEN_VALUE": "DAEMON_VALUE"]
    var configuration = DaemonConfiguration(avs)
    configuration.debug = true
    configuration.keystorePassword = Canary.password
    configuration.environment = ["DAEMON_VALUE": Canary.daemonVariable, "UNUSED_VALUE": Canary.unusedVariable]
    return configuration
  }
}
