import Foundation
import GRPCCore
import PonosAPI
import PonosCore
import PonosCrypto
import PonosTesting
import Testing

@testable import PonosExecutor

@Suite("Management authenticator")
struct ManagementAuthenticatorTests {
  typealias Proof = Eigenlayer_Hourglass_V1_Common_AuthSignature
  static let operatorAddress = PipelineRig.operatorAddress
  let clock = TestClock()

  private func authenticator(isEnabled: Bool = true, key: SigningKey? = TestKeys.executor(.ecdsa)) -> ManagementAuthenticator {
    ManagementAuthenticator(
      isEnabled: isEnabled, operatorAddress: Self.operatorAddress,
      tokens: ChallengeTokens(unixSeconds: { [clock] in clock.unixMilliseconds / 1000 }), key: key?.verificationKey)
  }

  private func proof(_ token: String, by key: SigningKey = TestKeys.executor(.ecdsa), over text: String? = nil) throws -> Proof {
    var proof = Proof()
    proof.challengeToken = token
    proof.signature = .init(try key.signMessage(ChallengeMessage(token: text ?? token).digest))
    return proof
  }

  private func refusal(_ authenticator: ManagementAuthenticator, _ proof: Proof?) -> RPCError.Code? {
    do throws(RPCError) {
      let identity = try authenticator.authenticate(proof)
      #expect(identity == (proof == nil ? .unchecked : .operator(Self.operatorAddress)))
      return nil
    } catch { return error.code }
  }

  @Test("lets a signed token through once, on either curve", arguments: SignatureCurve.allCases)
  func accepts(curve: SignatureCurve) throws {
    let authenticator = authenticator(key: TestKeys.executor(curve))
    let token = try authenticator.challenge(for: Self.operatorAddress.description).token
    let proof = try proof(token, by: TestKeys.executor(curve))
    #expect(refusal(authenticator, proof) == nil)
    #expect(refusal(authenticator, proof) == .unauthenticated)
  }

  @Test("an ECDSA signature may carry its recovery id as 0 or 1 instead of 27 or 28")
  func plainRecoveryID() throws {
    let authenticator = authenticator()
    var proof = try proof(try authenticator.challenge(for: Self.operatorAddress.description).token)
    proof.signature[proof.signature.endIndex - 1] -= 27
    #expect(refusal(authenticator, proof) == nil)
  }

  @Test("refuses no proof, an unknown, expired or used token, and a signature that does not fit")
  func refuses() throws {
    let authenticator = authenticator()
    func token() throws -> String { try authenticator.challenge(for: Self.operatorAddress.description).token }
    #expect(refusal(authenticator, nil) == .unauthenticated)
    #expect(refusal(authenticator, Proof()) == .unauthenticated)
    #expect(refusal(authenticator, try proof(String(repeating: "ab", count: 32))) == .unauthenticated)
    let kept = try token()
    #expect(refusal(authenticator, try proof(kept, by: TestKeys.stranger(.ecdsa))) == .unauthenticated)
    #expect(refusal(authenticator, try proof(kept, by: TestKeys.executor(.bn254))) == .unauthenticated)
    #expect(refusal(authenticator, try proof(kept, over: try token())) == .unauthenticated)
    #expect(refusal(authenticator, try proof(kept)) == nil, "failed attempts must not use the token up")
    let late = try token()
    clock.advance(by: .seconds(300))
    #expect(refusal(authenticator, try proof(late)) == .unauthenticated)
  }

  @Test("gives tokens to its own operator only, in any case of the hex")
  func challenges() throws {
    let authenticator = authenticator()
    func code(_ address: String) -> RPCError.Code? {
      do throws(RPCError) {
        _ = try authenticator.challenge(for: address)
        return nil
      } catch { return error.code }
    }
    #expect(code(Self.operatorAddress.description) == nil)
    #expect(code("0x" + Self.operatorAddress.description.dropFirst(2).uppercased()) == nil)
    #expect(code("") == .invalidArgument)
    #expect(code("0x12") == .permissionDenied)
    #expect(code(PipelineRig.avs.description) == .permissionDenied)
  }

  @Test("when disabled: lets calls without proof through, and refuses proofs and challenges as unimplemented")
  func disabled() throws {
    let authenticator = authenticator(isEnabled: false)
    #expect(refusal(authenticator, nil) == nil)
    #expect(refusal(authenticator, Proof()) == .unimplemented)
    #expect(throws: RPCError.self) { try authenticator.challenge(for: Self.operatorAddress.description) }
  }

  @Test("without any signing key nobody is let in")
  func noKey() throws {
    let authenticator = authenticator(key: nil)
    let token = try authenticator.challenge(for: Self.operatorAddress.description).token
    #expect(refusal(authenticator, try proof(token)) == .failedPrecondition)
  }
}
