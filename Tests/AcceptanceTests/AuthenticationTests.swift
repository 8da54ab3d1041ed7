import Foundation
import GRPCCore
import PonosAPI
import PonosCore
import PonosTesting
import Testing

extension Acceptance {
  @Suite("Management authentication", .daemon(.authenticated))
  struct AuthenticationTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test("a token signed with the operator's key lets one call through")
    func tokenSignedWithOperatorsKeyLetsOneCallThrough() async throws {
      let token = try await daemon.challengeToken()
      #expect(token.wholeMatch(of: /[0-9a-f]{64}/) != nil)
      #expect(try await daemon.performers(proof: try daemon.proof(token: token)).count == 1)
    }

    @Test("a token can be used once")
    func tokenCanBeUsedOnce() async throws {
      let proof = try daemon.proof(token: try await daemon.challengeToken())
      _ = try await daemon.performers(proof: proof)
      try await expectUnauthenticated { try await daemon.performers(proof: proof) }
    }

    @Test("a call without a proof is refused, before anything else is looked at")
    func callWithoutProofIsRefused() async throws {
      try await expectUnauthenticated { try await daemon.performers() }
      try await expectUnauthenticated { try await daemon.removePerformer("") }
      let image = RegistryImage(repository: "", digest: "")
      try await expectUnauthenticated { try await daemon.deploy(image) }
      #expect(try await daemon.containers.running().count == 1)
    }

    @Test(
      "a token of nobody's is refused",
      arguments: ["", "00", String(repeating: "ab", count: 32), String(repeating: "é", count: 64)])
    func tokenOfNobodysIsRefused(token: String) async throws {
      try await expectUnauthenticated { try await daemon.performers(proof: try daemon.proof(token: token)) }
    }

    @Test("a token with a digit changed, or written in capitals, is refused")
    func tokenWithDigitChanged() async throws {
      let token = try await daemon.challengeToken()
      let changed = (token.first == "0" ? "1" : "0") + token.dropFirst()
      for other in [changed, token.uppercased()] where other != token {
        try await expectUnauthenticated { try await daemon.performers(proof: try daemon.proof(token: other)) }
      }
    }

    @Test(
      "a signature by another key, or over another token, is refused, and does not use the token up",
      arguments: SignatureCurve.allCases)
    func signatureByAnotherKey(curve: SignatureCurve) async throws {
      let token = try await daemon.challengeToken()
      try await expectUnauthenticated {
        try await daemon.performers(proof: try daemon.proof(token: token, by: TestKeys.stranger(curve)))
      }
      var mismatched = try daemon.proof(token: try await daemon.challengeToken())
      mismatched.challengeToken = token
      try await expectUnauthenticated { try await daemon.performers(proof: mismatched) }
      mismatched.signature = .init()
      try await expectUnauthenticated { try await daemon.performers(proof: mismatched) }
      _ = try await daemon.performers(proof: try daemon.proof(token: token))
    }

    @Test("one token used by many calls at once lets one of them through")
    func oneTokenUsedByManyCallsAtOnceLets() async throws {
      let proof = try daemon.proof(token: try await daemon.challengeToken())
      let daemon = daemon
      let passed = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 {
          group.addTask {
            do { _ = try await daemon.performers(proof: proof) } catch let error as RPCError where error.code == .unauthenticated
            {
              return 0
            }
            return 1
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(passed == 1)
    }

    @Test("tokens are given for this operator only")
    func tokensAreGivenForThisOperatorOnly() async throws {
      #expect(try await failure { try await daemon.challengeToken(for: "") }.code == .invalidArgument)
      let other = EthereumAddress(unchecked: [UInt8](repeating: 9, count: 20)).description
      #expect(try await failure { try await daemon.challengeToken(for: other) }.code == .permissionDenied)
      let upper = "0x" + DaemonConfiguration.operatorAddress.description.dropFirst(2).uppercased()
      #expect(try await daemon.challengeToken(for: upper).count == 64)
    }

    @Test("tasks need no token: their aggregator's signature protects them")
    func tasksNeedNoToken() async throws {
      #expect(try await daemon.answer(to: "echo open") == "open")
    }

    private func expectUnauthenticated(
      sourceLocation: SourceLocation = #_sourceLocation, _ call: () async throws -> some Sendable
    ) async throws {
      let error = try await failure(sourceLocation: sourceLocation, call)
      #expect(error.code == .unauthenticated, sourceLocation: sourceLocation)
      #expect(error.message.contains("auth"), sourceLocation: sourceLocation)
    }
  }
}

extension DaemonConfiguration {
  fileprivate static var authenticated: DaemonConfiguration {
    var configuration = DaemonConfiguration(.scripted())
    configuration.authentication = true
    return configuration
  }
}
