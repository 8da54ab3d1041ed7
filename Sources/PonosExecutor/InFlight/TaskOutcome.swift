import PonosCore
import PonosStore

/// How a submission ended.
package enum TaskOutcome: Sendable {
  case signed(SignedResult)
  /// Accepted, and failed for good.
  case failed(StoredFailure)
  /// Not accepted.
  case refused(Rejection)
  /// Accepted, and for this reason not finished by this process: a retry gets the result later.
  case interrupted(Rejection)
}

extension StoredFailure {
  /// A performer's own words travel in trailers, of which clients take 8 KiB.
  private static let maxMessageBytes = 1024

  package init(_ failure: TaskFailure) {
    let message = failure.message
    let isLong = message.utf8.count > Self.maxMessageBytes
    // A character that is cut in two becomes a replacement character.
    let text = isLong ? String(decoding: message.utf8.prefix(Self.maxMessageBytes), as: UTF8.self) + "…" : message
    self.init(code: failure.code, message: text)
  }
}
