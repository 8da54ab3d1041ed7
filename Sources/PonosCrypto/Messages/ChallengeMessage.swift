import PonosCore

/// The message that a caller of the management service signs to prove that it holds the operator's key.
package struct ChallengeMessage: Hashable, Sendable {
  /// The challenge as the service gave it out: 64 lower-case hex digits, signed as text.
  package var token: String

  package init(token: String) {
    self.token = token
  }

  /// The digest to sign or verify: the token's bytes, hashed twice.
  package var digest: Digest32 {
    Keccak256.hash(Keccak256.hash(Array(token.utf8)).bytes)
  }
}
