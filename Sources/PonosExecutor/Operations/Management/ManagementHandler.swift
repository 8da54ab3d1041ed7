import Foundation
import GRPCCore
import Logging
import PonosAPI
import PonosConfiguration
import PonosContainers
import PonosCore
import PonosSystem
import PonosTelemetry
import SwiftProtobuf

/// The management port: checks the request's shape and asks the performer service, for callers that `PrincipalInterceptor` has
/// let in.
package struct ManagementHandler: Eigenlayer_Hourglass_V1_ExecutorManagementService.SimpleServiceProtocol {
  private let authenticator: ManagementAuthenticator
  private let performers: PerformerService
  private let deployments: DeployRequest.Rules
  private let logger: Logger

  package init(
    authenticator: ManagementAuthenticator, performers: PerformerService,
    deployments: DeployRequest.Rules, logger: Logger
  ) {
    self.authenticator = authenticator
    self.performers = performers
    self.deployments = deployments
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
    let caller = try caller()
    // The request is of the caller's size, so it is read off the loop that its connection shares with others.
    let spec = try await offEventLoop { () throws(RPCError) in try DeployRequest.spec(from: request, by: deployments) }
    do throws(DeploymentError) {
      let deployment = try await offEventLoop { () throws(DeploymentError) in
        try await performers.deploy(spec, origin: .deployment)
      }
      note("deployed on request", by: caller, deployment.performerID)
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
    _ = try caller()
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
    let caller = try caller()
    guard !request.performerID.isEmpty else {
      throw RPCError(code: .invalidArgument, message: "performer_id is empty; ListPerformers names the ids")
    }
    do throws(RemovalError) {
      try await offEventLoop { () throws(RemovalError) in try await performers.remove(performerID: request.performerID) }
      note("removed on request", by: caller, request.performerID)
      return .with { message in
        message.success = true
        message.message = "\(request.performerID) is removed"
      }
    } catch {
      throw RPCError(error)
    }
  }

  /// Who calls. A caller whom nobody has judged is refused like one who has proven nothing.
  private func caller() throws(RPCError) -> Principal {
    guard let principal = Principal.current, principal.mayManage else {
      throw RPCError(
        code: .permissionDenied, message: "this method takes no proof of who calls, so it is closed; report this defect")
    }
    return principal
  }

  private func note(_ message: Logger.Message, by caller: Principal, _ performerID: String) {
    logger.notice(
      message,
      metadata: [LogKey.performerID: "\(performerID)", LogKey.caller: "\(caller)", LogKey.peer: "\(caller.peer)"])
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
