import Foundation
import GRPCCore
import Logging
import PonosAPI
import PonosConfiguration
import PonosContainers
import PonosCore
import PonosSystem
import SwiftProtobuf

/// The management port: authenticates, checks the request's shape, and asks the performer service.
package struct ManagementHandler: Eigenlayer_Hourglass_V1_ExecutorManagementService.SimpleServiceProtocol {
  private let authenticator: ManagementAuthenticator
  private let performers: PerformerService
  private let configuration: @Sendable (EthereumAddress) -> AVSConfig
  private let logger: Logger

  package init(
    authenticator: ManagementAuthenticator, performers: PerformerService,
    configuration: @escaping @Sendable (EthereumAddress) -> AVSConfig, logger: Logger
  ) {
    self.authenticator = authenticator
    self.performers = performers
    self.configuration = configuration
    self.logger = logger
  }

  package func getChallengeToken(
    request: Eigenlayer_Hourglass_V1_GetChallengeTokenRequest, context: ServerContext
  ) async throws -> Eigenlayer_Hourglass_V1_GetChallengeTokenResponse {
    let challenge = try authenticator.challenge(for: request.operatorAddress)
    return .with { message in
      message.challengeToken = challenge.token
      message.expiresAt = challenge.expiresAt
    }
  }

  package func deployArtifact(
    request: Eigenlayer_Hourglass_V1_DeployArtifactRequest, context: ServerContext
  ) async throws -> Eigenlayer_Hourglass_V1_DeployArtifactResponse {
    try authenticator.authenticate(request.hasAuth ? request.auth : nil)
    let spec = try DeployRequest.spec(from: request, configuration: configuration)
    do throws(DeploymentError) {
      let deployment = try await offEventLoop { () throws(DeploymentError) in
        try await performers.deploy(spec, origin: .deployment)
      }
      return .with { message in
        message.success = true
        message.message = "\(deployment.image) serves AVS \(deployment.avs) as \(deployment.performerID)"
        message.deploymentID = deployment.deploymentID
      }
    } catch {
      throw RPCError(error)
    }
  }

  package func listPerformers(
    request: Eigenlayer_Hourglass_V1_ListPerformersRequest, context: ServerContext
  ) async throws -> Eigenlayer_Hourglass_V1_ListPerformersResponse {
    try authenticator.authenticate(request.hasAuth ? request.auth : nil)
    let filter = request.avsAddress.isEmpty ? nil : try DeployRequest.avs(from: request.avsAddress)
    return .with { message in
      message.performers = performers.snapshots()
        .filter { filter == nil || $0.avs == filter }
        .map(Eigenlayer_Hourglass_V1_Performer.init)
    }
  }

  package func removePerformer(
    request: Eigenlayer_Hourglass_V1_RemovePerformerRequest, context: ServerContext
  ) async throws -> Eigenlayer_Hourglass_V1_RemovePerformerResponse {
    try authenticator.authenticate(request.hasAuth ? request.auth : nil)
    guard !request.performerID.isEmpty else {
      throw RPCError(code: .invalidArgument, message: "performer_id is empty; ListPerformers names the ids")
    }
    do throws(RemovalError) {
      try await offEventLoop { () throws(RemovalError) in try await performers.remove(performerID: request.performerID) }
      return .with { message in
        message.success = true
        message.message = "\(request.performerID) is removed"
      }
    } catch {
      throw RPCError(error)
    }
  }
}

/// Reads the fields of deployment requests.
enum DeployRequest {
  static func spec(
    from request: Eigenlayer_Hourglass_V1_DeployArtifactRequest,
    configuration: (EthereumAddress) -> AVSConfig
  ) throws(RPCError) -> PerformerSpec {
    let avs = try avs(from: request.avsAddress)
    guard request.digest.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil else {
      throw invalid("digest", "must be sha256: and 64 lower-case hex digits, as the registry prints it")
    }
    guard request.registryURL.wholeMatch(of: repository) != nil else {
      throw invalid(
        "registry_url",
        "must be registry and repository in lower case, without scheme and tag, for example ghcr.io/acme/performer")
    }
    let configured = configuration(avs)
    return PerformerSpec(
      avs: avs, image: ImageReference(repository: request.registryURL, tag: nil, digest: request.digest),
      pullPolicy: configured.pullPolicy,
      environment: try request.env.map { variable throws(RPCError) in try environmentVariable(variable) },
      concurrency: configured.concurrency, limits: configured.limits, interface: configured.interface)
  }

  static func avs(from text: String) throws(RPCError) -> EthereumAddress {
    guard let avs = EthereumAddress(hex: text) else {
      throw invalid("avs_address", "must be 0x and 40 hex digits")
    }
    return avs
  }

  /// An optional host and port, then path components in lower case.
  private static var repository: Regex<Substring> {
    /(?:[A-Za-z0-9.\-]+(?::[0-9]+)?\/)?[a-z0-9]+(?:[._\-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._\-]+[a-z0-9]+)*)*/
  }

  private static func environmentVariable(
    _ variable: Eigenlayer_Hourglass_V1_PerformerEnv
  ) throws(RPCError) -> EnvironmentVariable {
    guard !variable.name.isEmpty, !variable.name.contains("="), !variable.name.contains("\0") else {
      throw invalid("env.name", "must not be empty and must not contain = or a zero byte")
    }
    let source: EnvironmentVariable.Source =
      variable.valueFromEnv.isEmpty ? .literal(variable.value) : .executorEnvironment(variable.valueFromEnv)
    return EnvironmentVariable(name: variable.name, source: source)
  }

  private static func invalid(_ field: String, _ problem: String) -> RPCError {
    RPCError(code: .invalidArgument, message: "\(field) \(problem)")
  }
}

extension Eigenlayer_Hourglass_V1_Performer {
  init(_ snapshot: PerformerSnapshot) {
    self.init()
    performerID = snapshot.performerID
    avsAddress = snapshot.avs.description
    status = snapshot.status
    artifactRegistry = snapshot.image.repository
    artifactDigest = snapshot.image.digest ?? ""
    artifactTag = snapshot.image.tag ?? ""
    resourceHealthy = snapshot.containerHealthy
    applicationHealthy = snapshot.applicationHealthy
    containerID = snapshot.containerID ?? ""
    if let time = snapshot.lastHealthCheck {
      lastHealthCheck = Date(timeIntervalSince1970: Double(time) / 1000).formatted(.iso8601)
    }
  }
}

extension RPCError {
  init(_ error: DeploymentError) {
    let code: RPCError.Code =
      switch error.code {
      case .alreadyInProgress: .alreadyExists
      case .imageNotFound: .notFound
      case .imageUnauthorized: .permissionDenied
      case .invalidImage: .invalidArgument
      case .imageCorrupt, .insufficientResources, .containerRefused, .performerExited, .performerNotServing: .failedPrecondition
      case .registryUnavailable, .imagePullFailed, .dockerUnavailable, .shuttingDown, .storeFailed: .unavailable
      }
    self.init(
      code: code, message: StatusMessage.text(error.message, log: error.logTail),
      metadata: ["ponos-code": .string(error.code.rawValue)])
  }

  init(_ error: RemovalError) {
    let code: RPCError.Code =
      switch error.code {
      case .unknownPerformer: .notFound
      case .alreadyInProgress: .alreadyExists
      case .storeFailed, .dockerUnavailable, .shuttingDown: .unavailable
      }
    self.init(
      code: code, message: StatusMessage.text(error.message, log: []), metadata: ["ponos-code": .string(error.code.rawValue)])
  }
}
