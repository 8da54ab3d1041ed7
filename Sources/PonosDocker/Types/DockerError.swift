/// The Docker Engine could not be reached, refused a call, or answered something that makes no sense.
package struct DockerError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable, Equatable, CaseIterable {
    /// `DOCKER_HOST` has a form this client does not know.
    case invalidEndpoint = "docker_invalid_endpoint"
    /// No connection: the engine is not running, or its socket may not be opened.
    case unreachable = "docker_unreachable"
    /// The engine accepted the connection and did not answer in time.
    case timedOut = "docker_timed_out"
    /// The ranges of API versions of engine and client do not meet.
    case versionUnsupported = "docker_version_unsupported"
    /// The engine calls the request malformed (400).
    case badRequest = "docker_bad_request"
    /// The container, image or network does not exist (404).
    case notFound = "docker_not_found"
    /// A name is taken, or the object's state forbids the call (409).
    case conflict = "docker_conflict"
    /// The engine failed (500 and above).
    case engineFailed = "docker_engine_failed"
    /// The answer is not what the Engine API promises.
    case malformedReply = "docker_malformed_reply"
    /// The answer is larger than this client reads.
    case replyTooLarge = "docker_reply_too_large"
    /// The connection broke in the middle of an answer.
    case streamBroken = "docker_stream_broken"
    /// The caller was cancelled.
    case cancelled = "docker_cancelled"

    /// The image reference is not well-formed.
    case invalidReference = "docker_invalid_reference"
    /// The registry does not have the image.
    case imageNotFound = "docker_image_not_found"
    /// The registry wants other credentials, or any.
    case registryUnauthorized = "docker_registry_unauthorized"
    /// The registry's certificate is not trusted by the engine.
    case registryUntrusted = "docker_registry_untrusted"
    /// What the registry sent does not match its digest.
    case imageCorrupt = "docker_image_corrupt"
    /// The registry cannot be reached at the moment.
    case registryUnavailable = "docker_registry_unavailable"
    /// The pull made no progress for too long, or took too long altogether.
    case pullStalled = "docker_pull_stalled"
    /// The pull failed for a reason this client does not know.
    case pullFailed = "docker_pull_failed"
    /// The image could not be built.
    case buildFailed = "docker_build_failed"
  }

  package let code: Code
  /// HTTP status of the engine's answer; nil when there was none.
  package let status: Int?
  /// What was attempted, on what.
  package let message: String
  /// What the engine or the system said; nil when nothing.
  package let cause: String?
  /// What to do; nil when the cause says it.
  package let cure: String?

  package init(_ code: Code, _ message: String, status: Int? = nil, cause: String? = nil, cure: String? = nil) {
    self.code = code
    self.status = status
    self.message = message
    self.cause = cause
    self.cure = cure
  }

  package var description: String {
    var text = message
    if let cause, !cause.isEmpty { text += ": \(cause)" }
    if let cure { text += ". \(cure)" }
    return "\(text) (\(code.rawValue))"
  }

  /// Whether the engine itself did not answer, so that trying again later can help.
  package var isEngineDown: Bool {
    switch code {
    case .unreachable, .timedOut, .streamBroken: true
    default: false
    }
  }
}
