import GRPCCore
import PonosAPI
import PonosCore
import PonosCrypto
import PonosTesting
import SwiftProtobuf
import Testing

@testable import PonosExecutor

@Suite("Principal interceptor")
struct PrincipalInterceptorTests {
  private typealias List = Eigenlayer_Hourglass_V1_ListPerformersRequest
  private static let operatorAddress = PipelineRig.operatorAddress

  private static func authenticator(isEnabled: Bool = true) -> ManagementAuthenticator {
    ManagementAuthenticator(
      isEnabled: isEnabled, operatorAddress: operatorAddress, tokens: ChallengeTokens(unixSeconds: { 1_000_000 }),
      key: TestKeys.executor(.ecdsa).verificationKey)
  }

  private static func provingRequest(_ authenticator: ManagementAuthenticator) throws -> List {
    let token = try authenticator.challenge(for: operatorAddress.description).token
    return try .with { message in
      message.avsAddress = PipelineRig.avs.description
      message.auth.challengeToken = token
      message.auth.signature = .init(try TestKeys.executor(.ecdsa).signMessage(ChallengeMessage(token: token).digest))
    }
  }

  /// Makes a call; returns whom the handler saw, and the messages it read.
  private static func call<Message: Sendable>(
    _ authenticator: ManagementAuthenticator, _ messages: [Message], from peer: String = "ipv4:192.0.2.7:4",
    allowsRemote: Bool = false
  ) async throws -> (caller: Principal?, messages: [Message]) {
    let request = StreamingServerRequest(
      metadata: [:],
      messages: RPCAsyncSequence<Message, any Error>(
        wrapping: AsyncThrowingStream { continuation in
          for message in messages { continuation.yield(message) }
          continuation.finish()
        }))
    let method = MethodDescriptor(fullyQualifiedService: "ponos.Test", method: "Do", type: .unary)
    let seen = Seen<Message>()
    _ = try await withServerContextRPCCancellationHandle { handle in
      let context = ServerContext(descriptor: method, remotePeer: peer, localPeer: "", cancellation: handle)
      let interceptor = PrincipalInterceptor(authenticator: authenticator, allowsRemote: allowsRemote)
      return try await interceptor.intercept(request: request, context: context) {
        request, _ -> StreamingServerResponse<Int> in
        for try await message in request.messages { await seen.add(message) }
        await seen.set(Principal.current)
        return StreamingServerResponse { _ in [:] }
      }
    }
    return await (seen.caller, seen.messages)
  }

  private actor Seen<Message: Sendable> {
    var caller: Principal?
    var messages: [Message] = []

    func add(_ message: Message) { messages.append(message) }
    func set(_ caller: Principal?) { self.caller = caller }
  }

  @Test("tells the handler who has proven to be the operator, and gives it the whole request")
  func tells() async throws {
    let authenticator = Self.authenticator()
    let request = try Self.provingRequest(authenticator)
    let (caller, messages) = try await Self.call(authenticator, [request])
    #expect(caller == Principal(identity: .operator(Self.operatorAddress), peer: "ipv4:192.0.2.7:4"))
    #expect(messages == [request])
    #expect(Principal.current == nil)
    await #expect(throws: RPCError.self, "the token is used up") { try await Self.call(authenticator, [request]) }
  }

  @Test("refuses who proves nothing where a proof is asked for, before the handler sees it")
  func refuses() async throws {
    let error = await #expect(throws: RPCError.self) { try await Self.call(Self.authenticator(), [List()]) }
    #expect(error?.code == .unauthenticated)
    await #expect(throws: RPCError.self) { try await Self.call(Self.authenticator(), [List]()) }
  }

  @Test(
    "lets methods without proofs through, which may not manage, and every method of this host where authentication is disabled")
  func anonymous() async throws {
    let open = try await Self.call(Self.authenticator(), [Eigenlayer_Hourglass_V1_GetChallengeTokenRequest()])
    #expect(open.caller?.identity == .anonymous && open.caller?.mayManage == false && open.messages.count == 1)
    let disabled = Self.authenticator(isEnabled: false)
    for (peer, allowsRemote) in [("ipv4:127.0.0.1:4", false), ("ipv4:192.0.2.7:4", true)] {
      let (caller, messages) = try await Self.call(disabled, [List()], from: peer, allowsRemote: allowsRemote)
      #expect(caller == Principal(identity: .unchecked, peer: peer) && messages.count == 1)
      #expect(caller?.mayManage == true)
    }
    let error = await #expect(throws: RPCError.self) { try await Self.call(disabled, [List()]) }
    #expect(error?.code == .permissionDenied)
  }
}
