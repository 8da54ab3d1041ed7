import Crypto
import PonosCore
import Synchronization

/// Issues the tokens that management calls must sign, and accepts each once.
///
/// A token carries its own expiry under a message authentication code, so issuing one keeps nothing in memory and
/// nobody can push another caller's token out. Layout of its 32 bytes: expiry (8, unix seconds), random (8), code (16).
package final class ChallengeTokens: Sendable {
  /// How long a token can be used, in seconds.
  package static let lifetime: Int64 = 300

  private let key = SymmetricKey(size: .bits256)
  private let unixSeconds: @Sendable () -> Int64
  /// Used tokens by their expiry; only callers that proved who they are add to it.
  private let used = Mutex<[String: Int64]>([:])

  package init(unixSeconds: @escaping @Sendable () -> Int64) {
    self.unixSeconds = unixSeconds
  }

  /// A token and when it expires, in unix seconds.
  package func issue() -> (token: String, expiresAt: Int64) {
    let expiry = unixSeconds() + Self.lifetime
    let body = Self.bytes(of: expiry) + Self.bytes(of: Int64.random(in: .min ... .max))
    return (Hex.encode(body + code(of: body)), expiry)
  }

  /// Whether the token is one of ours, not expired and not used.
  package func isUsable(_ token: String) -> Bool {
    guard let expiry = expiry(of: token), expiry > unixSeconds() else { return false }
    return used.withLock { $0[token] == nil }
  }

  /// Marks a usable token used; false when another call has used it.
  package func use(_ token: String) -> Bool {
    guard let expiry = expiry(of: token) else { return false }
    let now = unixSeconds()
    return used.withLock { used in
      used = used.filter { $0.value > now }
      return expiry > now && used.updateValue(expiry, forKey: token) == nil
    }
  }

  private func expiry(of token: String) -> Int64? {
    // The text is what gets signed, so only its canonical form counts.
    guard token.utf8.count == 64, let bytes = Hex.decode(token), Hex.encode(bytes) == token else { return nil }
    let body = Array(bytes[..<16])
    guard SymmetricKey(data: bytes[16...]) == SymmetricKey(data: code(of: body)) else { return nil }
    return Int64(bitPattern: body[..<8].reduce(0) { $0 << 8 | UInt64($1) })
  }

  private func code(of body: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: body, using: key).prefix(16))
  }

  private static func bytes(of value: Int64) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian, Array.init)
  }
}
