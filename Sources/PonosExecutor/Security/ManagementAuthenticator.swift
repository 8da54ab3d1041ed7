import GRPCCore
import PonosAPI
import PonosCore
import PonosCrypto

/// Decides whether a management call comes from the operator.
package struct ManagementAuthenticator: Sendable {
  /// Whether management calls must carry a signed token.
  let isEnabled: Bool
  private let operatorAddress: EthereumAddress
  private let tokens: ChallengeTokens
  /// The operator's public key; nil when there is no signing key at all.
  private let key: VerificationKey?

  package init(isEnabled: Bool, operatorAddress: EthereumAddress, tokens: ChallengeTokens, key: VerificationKey?) {
    self.isEnabled = isEnabled
    self.operatorAddress = operatorAddress
    self.tokens = tokens
    self.key = key
  }

  /// A token for the operator that `address` names.
  package func challenge(for address: String) throws(RPCError) -> (token: String, expiresAt: Int64) {
    guard isEnabled else { throw Self.disabled }
    guard !address.isEmpty else {
      throw RPCError(code: .invalidArgument, message: "operator_address is empty; send the operator's 0x address")
    }
    guard EthereumAddress(hex: address) == operatorAddress else {
      throw RPCError(
        code: .permissionDenied,
        message: "operator_address is not the operator of this executor (\(operatorAddress)); check which executor you call")
    }
    return tokens.issue()
  }

  /// What a caller has proven. Throws unless the call may go on; uses the token up when its signature is right.
  package func authenticate(
    _ proof: Eigenlayer_Hourglass_V1_Common_AuthSignature?
  ) throws(RPCError) -> Principal.Identity {
    guard isEnabled else {
      if proof == nil { return .unchecked }
      throw Self.disabled
    }
    guard let proof else {
      throw RPCError(
        code: .unauthenticated, message: "auth is missing; get a token from GetChallengeToken, sign it and send both")
    }
    guard tokens.isUsable(proof.challengeToken) else {
      throw RPCError(
        code: .unauthenticated,
        message: "auth.challenge_token is unknown, used or expired; get a new one from GetChallengeToken")
    }
    guard let key else {
      throw RPCError(
        code: .failedPrecondition, message: "no signing key is configured, so no token can be verified; see operator.signingKeys")
    }
    do throws(SignatureError) {
      try key.verifyMessage(ChallengeMessage(token: proof.challengeToken).digest, signature: Array(proof.signature))
    } catch {
      throw RPCError(code: .unauthenticated, message: "auth.signature \(error.message)")
    }
    guard tokens.use(proof.challengeToken) else {
      throw RPCError(code: .unauthenticated, message: "auth.challenge_token was used by another call; get a new one")
    }
    return .operator(operatorAddress)
  }

  private static var disabled: RPCError {
    RPCError(
      code: .unimplemented,
      message: "management authentication is disabled here; send no auth, or enable authentication in the configuration")
  }
}
