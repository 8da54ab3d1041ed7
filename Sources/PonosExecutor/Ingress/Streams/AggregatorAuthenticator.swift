import PonosCore
import PonosCrypto

/// Decides whether an aggregator is who its hello says, and proves to it who we are.
package struct AggregatorAuthenticator: Sendable {
  private let registry: any OperatorSetRegistry
  private let keys: KeyRing
  private let verifier: SignatureVerifier

  package init(registry: any OperatorSetRegistry, keys: KeyRing, verifier: SignatureVerifier = SignatureVerifier()) {
    self.registry = registry
    self.keys = keys
    self.verifier = verifier
  }

  /// Returns our proof when the aggregator's is right; otherwise throws how the session ends.
  func proof(
    to aggregator: AggregatorHello, own executor: ExecutorHello, theirs: [UInt8]
  ) async throws(SessionFailure) -> [UInt8] {
    let key = try await key(of: aggregator.owner)
    let message = SessionProofMessage(role: .aggregator, aggregator: aggregator, executor: executor)
    do throws(SignatureError) { try await verifier.verifyMessage(message.digest, signature: theirs, by: key) } catch {
      throw SessionFailure(
        .unauthenticated(
          code: "bad_proof", message: "the proof's signature \(error.message); sign with the key registered for this AVS"))
    }
    return try await sign(
      SessionProofMessage(role: .executor, aggregator: aggregator, executor: executor),
      for: OperatorSet(avs: aggregator.owner.avs, id: aggregator.operatorSetID))
  }

  private func key(of owner: TaskOwner) async throws(SessionFailure) -> VerificationKey {
    do throws(Rejection) { return try await registry.aggregatorKey(of: owner.aggregator, avs: owner.avs, atBlock: 0) } catch {
      throw SessionFailure(error)
    }
  }

  private func sign(_ message: SessionProofMessage, for set: OperatorSet) async throws(SessionFailure) -> [UInt8] {
    let signer: Signer
    do throws(Rejection) {
      let curve = try await registry.executorCurve(of: set, atBlock: 0)
      guard let held = keys.key(curve, for: set) else { throw .noSigner(curve, operatorSet: set) }
      signer = held
    } catch {
      throw SessionFailure(error)
    }
    do {
      let signature = try await signer.sign(.message(message.digest))
      try await verifier.verifyMessage(message.digest, signature: signature, by: signer.verificationKey)
      return signature
    } catch {
      throw SessionFailure(.unavailable(code: "signing_failed", message: "this executor could not sign its proof"))
    }
  }
}

/// Why a session cannot be established, as the way it ends.
struct SessionFailure: Error {
  let end: SessionEnd

  init(_ end: SessionEnd) {
    self.end = end
  }

  /// As a registry refuses. What passes by itself is no verdict on the peer, which may dial again.
  init(_ rejection: Rejection) {
    if case .chain(let cause) = rejection, cause.retryDelay != nil {
      self.init(.unavailable(code: rejection.code, message: rejection.message))
    } else {
      self.init(.unauthenticated(code: rejection.code, message: rejection.message))
    }
  }
}
