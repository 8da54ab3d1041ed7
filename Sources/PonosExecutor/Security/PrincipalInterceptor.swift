import GRPCCore
import PonosAPI

/// A request with which a caller proves who it is.
protocol ProvingRequest: Sendable {
  var hasAuth: Bool { get }
  var auth: Eigenlayer_Hourglass_V1_Common_AuthSignature { get }
}

extension Eigenlayer_Hourglass_V1_DeployArtifactRequest: ProvingRequest {}
extension Eigenlayer_Hourglass_V1_ListPerformersRequest: ProvingRequest {}
extension Eigenlayer_Hourglass_V1_RemovePerformerRequest: ProvingRequest {}

/// Establishes who makes a call before its handler runs, and refuses a call without a valid proof where one is needed. Handlers
/// read `Principal.current`.
package struct PrincipalInterceptor: ServerInterceptor {
  private let authenticator: ManagementAuthenticator
  private let allowsRemote: Bool

  /// - Parameter allowsRemote: Whether callers of other hosts may manage without a proof, where none is asked for.
  package init(authenticator: ManagementAuthenticator, allowsRemote: Bool) {
    self.authenticator = authenticator
    self.allowsRemote = allowsRemote
  }

  package func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingServerRequest<Input>, context: ServerContext,
    next: @Sendable (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
  ) async throws -> StreamingServerResponse<Output> {
    var (request, identity) = (request, Principal.Identity.anonymous)
    if Input.self is any ProvingRequest.Type {
      try checkDoor(context.remotePeer)
      // The proof is a part of the message, which is the only one of the call.
      let single = try await ServerRequest(stream: request)
      if let message = single.message as? any ProvingRequest {
        identity = try authenticator.authenticate(message.hasAuth ? message.auth : nil)
      }
      request = StreamingServerRequest(single: single)
    }
    let principal = Principal(identity: identity, peer: context.remotePeer)
    return try await Principal.$current.withValue(principal) { [request] in try await next(request, context) }
  }

  /// Without authentication only this host may manage, unless the configuration leaves the door open.
  private func checkDoor(_ peer: String) throws(RPCError) {
    guard !authenticator.isEnabled, !allowsRemote, !PeerAddress(peer).isLocal else { return }
    throw RPCError(
      code: .permissionDenied,
      message: "the management API answers this host only while authentication is disabled; set authentication.enabled and sign "
        + "challenge tokens, or set management.allowRemote to leave it open",
      metadata: ["ponos-code": "remote_management"])
  }
}
