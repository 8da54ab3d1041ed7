import GRPCCore
import PonosAPI
import PonosCore
import PonosCrypto
import PonosExecutor
import PonosTesting
import PonosTransport
import SwiftProtobuf

typealias DeployRequest = Eigenlayer_Hourglass_V1_DeployArtifactRequest
typealias Proof = Eigenlayer_Hourglass_V1_Common_AuthSignature
typealias ListedPerformer = Eigenlayer_Hourglass_V1_Performer
typealias ManagementClient = Eigenlayer_Hourglass_V1_ExecutorManagementService.Client<ClientTransportInUse>

/// What `hgctl` and authenticated clients do.
extension Daemon {
  func withManagement<Result: Sendable>(_ body: (ManagementClient) async throws -> Result) async throws -> Result {
    try await withClient(port: place.managementPort) { try await body(ManagementClient(wrapping: $0)) }
  }

  /// Deploys for the first AVS; returns the deployment id.
  @discardableResult
  func deploy(
    _ image: RegistryImage, environment: [String: String] = [:], proof: Proof? = nil
  ) async throws -> String {
    let request = deployment(of: image, environment: environment, proof: proof)
    return try await withManagement { client in
      let response = try await client.deployArtifact(request, options: .within(.seconds(90)))
      guard response.success else { throw DidNotHappen(description: "success is false in an OK answer: \(response.message)") }
      return response.deploymentID
    }
  }

  func deployment(of image: RegistryImage, environment: [String: String] = [:], proof: Proof? = nil) -> DeployRequest {
    .with { message in
      message.avsAddress = avs.description
      message.registryURL = image.repository
      message.digest = image.digest
      message.env = environment.map { name, value in
        .with {
          $0.name = name
          $0.value = value
        }
      }
      if let proof { message.auth = proof }
    }
  }

  /// The performers of all AVSs, or of the one named.
  func performers(ofAVS filter: String = "", proof: Proof? = nil) async throws -> [ListedPerformer] {
    try await withManagement { client in
      try await client.listPerformers(
        .with { message in
          message.avsAddress = filter
          if let proof { message.auth = proof }
        }, options: .within(.seconds(10))
      ).performers
    }
  }

  func removePerformer(_ id: String, proof: Proof? = nil) async throws {
    try await withManagement { client in
      let response = try await client.removePerformer(
        .with { message in
          message.performerID = id
          if let proof { message.auth = proof }
        }, options: .within(.seconds(60)))
      guard response.success else { throw DidNotHappen(description: "success is false in an OK answer: \(response.message)") }
    }
  }

  /// A fresh challenge token.
  func challengeToken(for address: String = DaemonConfiguration.operatorAddress.description) async throws -> String {
    try await withManagement { client in
      try await client.getChallengeToken(.with { $0.operatorAddress = address }, options: .within(.seconds(10))).challengeToken
    }
  }

  /// A token signed as clients sign it.
  func proof(token: String, by key: SigningKey = TestKeys.executor(.ecdsa)) throws -> Proof {
    let signature = try key.signMessage(ChallengeMessage(token: token).digest)
    return .with { message in
      message.challengeToken = token
      message.signature = .init(signature)
    }
  }
}
