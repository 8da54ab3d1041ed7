import PonosCore
import PonosDocker
import PonosStore

/// A performer that was put in service.
package struct Deployment: Sendable, Equatable {
  /// `deployment-<avs>-<uuid>`.
  package let deploymentID: String
  /// `performer-<avs>-<uuid>`.
  package let performerID: String
  package let avs: EthereumAddress
  package let image: ImageReference
  package let containerID: String
}

/// A deployment that came to nothing. What served before still serves.
package struct DeploymentError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable, Equatable, CaseIterable {
    /// Another deployment or removal of the AVS's performer is under way.
    case alreadyInProgress = "deployment_in_progress"
    case imageNotFound = "image_not_found"
    /// The registry wants other credentials, or its certificate is not trusted.
    case imageUnauthorized = "image_unauthorized"
    /// What the registry sent does not match its digest.
    case imageCorrupt = "image_corrupt"
    case registryUnavailable = "registry_unavailable"
    /// The pull failed for an unknown reason; another attempt may work.
    case imagePullFailed = "image_pull_failed"
    case invalidImage = "image_reference_invalid"
    /// The performer may use more than the host has.
    case insufficientResources = "insufficient_resources"
    /// The engine would not create or start the container.
    case containerRefused = "container_refused"
    /// The container ended before it served.
    case performerExited = "performer_exited"
    /// The container runs, and did not serve in time.
    case performerNotServing = "performer_not_serving"
    case dockerUnavailable = "docker_unavailable"
    /// The store failed; without a record nothing is put in service.
    case storeFailed = "deployment_not_recorded"
    case shuttingDown = "shutting_down"
  }

  package let code: Code
  /// What happened and what to do.
  package let message: String
  /// The last lines of the container that failed, oldest first; empty when there are none.
  package let logTail: [String]

  package init(_ code: Code, _ message: String, logTail: [String] = []) {
    self.code = code
    self.message = message
    self.logTail = logTail
  }

  package var description: String { "\(message) (\(code.rawValue))" }
}

extension DeploymentError {
  /// What a failure of the engine means for a deployment.
  init(_ error: DockerError) {
    self.init(Self.code(of: error), error.description)
  }

  private static func code(of error: DockerError) -> Code {
    switch error.code {
    case .cancelled: .shuttingDown
    case .invalidEndpoint, .unreachable, .timedOut, .versionUnsupported, .malformedReply, .replyTooLarge, .streamBroken:
      .dockerUnavailable
    case .badRequest, .notFound, .conflict, .engineFailed, .buildFailed: .containerRefused
    case .invalidReference: .invalidImage
    case .imageNotFound: .imageNotFound
    case .registryUnauthorized, .registryUntrusted: .imageUnauthorized
    case .imageCorrupt: .imageCorrupt
    case .registryUnavailable, .pullStalled: .registryUnavailable
    case .pullFailed: .imagePullFailed
    }
  }

  init(_ error: StoreError) {
    self.init(.storeFailed, "The deployment cannot be written down: \(error)")
  }

  static let shuttingDown = DeploymentError(.shuttingDown, "The daemon is shutting down. Try again when it is back.")
}

/// A performer that could not be removed.
package struct RemovalError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable, Equatable, CaseIterable {
    case unknownPerformer = "performer_unknown"
    /// A deployment or another removal for the AVS is under way.
    case alreadyInProgress = "deployment_in_progress"
    /// It is out of service, but would come back with the next start.
    case storeFailed = "removal_not_recorded"
    case dockerUnavailable = "docker_unavailable"
    case shuttingDown = "shutting_down"
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { "\(message) (\(code.rawValue))" }

  static let shuttingDown = RemovalError(.shuttingDown, "The daemon is shutting down. Try again when it is back.")
}
