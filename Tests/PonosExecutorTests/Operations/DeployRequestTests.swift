import GRPCCore
import PonosAPI
@testable import PonosConfiguration
import PonosCore
import PonosStoreTesting
import PonosTesting
import SwiftProtobuf
import Testing

@testable import PonosExecutor

@Suite struct DeployRequestTests {
  private static let avs = StoreRecords.address(1)
  private static let rules = DeployRequest.Rules(
    configuration: { $0 == avs ? AVSConfig(address: avs) : nil }, sharedVariables: ["PUBLIC_URL"])

  private static func request(
    _ change: (inout Eigenlayer_Hourglass_V1_DeployArtifactRequest) -> Void = { _ in }
  ) -> Eigenlayer_Hourglass_V1_DeployArtifactRequest {
    .with { message in
      message.avsAddress = avs.description
      message.digest = "sha256:" + String(repeating: "a", count: 64)
      message.registryURL = "ghcr.io/acme/performer"
      change(&message)
    }
  }

  private static func variable(_ name: String, from source: String) -> Eigenlayer_Hourglass_V1_PerformerEnv {
    .with { variable in
      variable.name = name
      variable.valueFromEnv = source
    }
  }

  @Test func aCompleteRequestBecomesASpecification() throws {
    let spec = try DeployRequest.spec(
      from: Self.request { $0.env = [Self.variable("URL", from: "PUBLIC_URL")] }, by: Self.rules)
    #expect(spec.avs == Self.avs && spec.image.repository == "ghcr.io/acme/performer")
    #expect(spec.environment == [EnvironmentVariable(name: "URL", source: .executorEnvironment("PUBLIC_URL"))])
  }

  @Test func nothingIsStartedForAnAVSThatTheConfigurationDoesNotName() {
    let error = #expect(throws: RPCError.self) {
      try DeployRequest.spec(from: Self.request { $0.avsAddress = StoreRecords.address(2).description }, by: Self.rules)
    }
    #expect(error?.code == .failedPrecondition && error?.message.contains("avsPerformers") == true)
  }

  @Test func aVariableOfTheExecutorIsGivenOnlyWhereTheConfigurationListsIt() {
    let error = #expect(throws: RPCError.self) {
      try DeployRequest.spec(
        from: Self.request { $0.env = [Self.variable("LEAK", from: "DATABASE_URL")] }, by: Self.rules)
    }
    #expect(error?.code == .permissionDenied && error?.message.contains("management.valueFromEnv") == true)
    #expect(error?.message.contains("DATABASE_URL") == false, "which variables there are is nobody's business")
  }

  @Test func lengthsAreLookedAtFirst() {
    let long = String(repeating: "a-", count: 1 << 19)
    let changes: [(inout Eigenlayer_Hourglass_V1_DeployArtifactRequest) -> Void] = [
      { $0.registryURL = long }, { $0.digest = "sha256:" + long }, { $0.avsAddress = long },
      { $0.env = [Self.variable(long, from: "PUBLIC_URL")] },
      { $0.env = Array(repeating: Self.variable("A", from: "PUBLIC_URL"), count: DeployRequest.maxVariables + 1) },
    ]
    for change in changes {
      let error = #expect(throws: RPCError.self) { try DeployRequest.spec(from: Self.request(change), by: Self.rules) }
      #expect(error?.code == .invalidArgument)
      #expect((error?.message.utf8.count ?? 0) < 400, "the refusal does not repeat what was sent")
    }
  }
}
