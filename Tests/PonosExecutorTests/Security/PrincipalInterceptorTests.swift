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
    _ authenticator: ManagementAuthenticator, _ messages: [Message]
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
      let context = ServerContext(descriptor: method, remotePeer: "ipv4:192.0.2.7:4", localPeer: "", cancellation: handle)
      return try await PrincipalInterceptor(authenticator: authenticator, allowsRemote: true).intercept(request: request, context: context) {
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

  @Test("lets methods without proofs through, which may not manage, and every method where authentication is disabled")
  func anonymous() async throws {
    let open = try await Self.call(Self.authenticator(), [Eigenlayer_Hourglass_V1_GetChallengeTokenRequest()])
    #expect(open.caller?.identity == .anonymous && open.caller?.mayManage == false && open.messages.count == 1)
    let disabled = try await Self.call(Self.authenticator(isEnabled: false), [List()])
    #expect(disabled.caller?.identity == .unchecked && disabled.caller?.mayManage == true && disabled.messages.count == 1)
  }
}
