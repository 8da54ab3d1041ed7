import Crypto
import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosDocker
import PonosExecutorTesting
import PonosTesting
import Testing

extension Acceptance {
  /// The example in Python, behind a real daemon.
  @Suite("A performer over HTTP", .daemon(DaemonConfiguration(.fingerprint)))
  struct HTTPPerformerTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test("answers signed tasks of any bytes and size, for both curves", arguments: [1, 33, 1_500_000], SignatureCurve.allCases)
    func answersSignedTasksOfAnyBytesAndSize(count: Int, curve: SignatureCurve) async throws {
      var draft = daemon.draft("", set: curve)
      draft.payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
      let submission = try TestAggregator.registered(.ecdsa).sign(draft)
      let result = try await daemon.submit(submission)
      try daemon.check(result, for: submission)
      #expect(Array(result.output) == Array(SHA256.hash(data: draft.payload)))
    }

    @Test("a task that it refuses fails for good, with its words")
    func taskThatItRefusesFailsForGood() async throws {
      let error = try await daemon.refusal(of: try daemon.submission(""))
      #expect(error.ponosCode == "performer_error")
      #expect(error.message.contains("status 400") && error.message.contains("payload is empty"), "\(error.message)")
    }

    @Test("forty tasks at once are answered")
    func fortyTasksAtOnceAreAnswered() async throws {
      let daemon = daemon
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<40 {
          let submission = try daemon.submission("task \(number)")
          group.addTask { try daemon.check(try await daemon.submit(submission), for: submission) }
        }
        try await group.waitForAll()
      }
    }

    @Test("runs unprivileged on a read-only file system, and is replaced when it ends")
    func runsUnprivilegedOnReadOnlyFileSystem() async throws {
      let container = try await daemon.containers.theOnlyOne()
      let details = try await PerformerContainers.inspect(container.id)
      #expect((details["HostConfig"] as? [String: Any])?["ReadonlyRootfs"] as? Bool == true)
      #expect((details["Config"] as? [String: Any])?["User"] as? String == "65532:65532")
      try await daemon.containers.kill(container.id)
      // Sent into the gap: it is taken once the performer is back.
      try await wait(until: "another container to serve") {
        let running = try await daemon.containers.running().map(\.id)
        guard running.count == 1, running != [container.id] else { return false }
        return try await daemon.serves(daemon.avs)
      }
      let submission = try daemon.submission("again")
      try daemon.check(try await daemon.submit(submission), for: submission)
    }
  }

  @Suite("Response rules", .daemon(.withRules))
  struct ResponseRuleTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test(
      "an output that keeps the rules of its AVS is signed, one that does not is refused for good",
      arguments: [
        (0, "[1, 2]", true), (0, "[1, 2", false), (1, "oversize 64", true), (1, "oversize 63", false), (2, "echo abcdef", true),
        (2, "echo ab", false), (2, "echo abcdefghi", false), (2, "echo xbcdef", false),
      ])
    func outputThatKeepsRulesOfItsAVSIsSigned(avs: Int, payload: String, passes: Bool) async throws {
      let submission = try daemon.submission(payload, avs: daemon.configuration.avs[avs].address)
      if passes {
        try daemon.check(try await daemon.submit(submission), for: submission)
      } else {
        let error = try await daemon.refusal(of: submission)
        #expect(error.ponosCode == "output_invalid" && error.message.contains("responseRules"), "\(error.message)")
      }
    }
  }
}

extension DaemonConfiguration.AVS {
  fileprivate static var fingerprint: DaemonConfiguration.AVS {
    var avs = DaemonConfiguration.AVS(image: Images.fingerprint)
    avs.settings = ["protocol": "http", "responseRules": "{format: abiWords, abiWords: 1}"]
    return avs
  }

  fileprivate static func scripted(rules: String) -> DaemonConfiguration.AVS {
    var avs = scripted()
    avs.settings["responseRules"] = rules
    return avs
  }
}

extension DaemonConfiguration {
  fileprivate static var withRules: DaemonConfiguration {
    DaemonConfiguration(
      .scripted(rules: "{format: json}"), .scripted(rules: "{format: abiWords, abiWords: 2}"),
      .scripted(rules: "{minBytes: 3, maxBytes: 8, prefix: 0x6162}"))
  }
}
