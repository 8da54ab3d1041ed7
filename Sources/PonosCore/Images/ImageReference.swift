/// Names a container image: a repository and the tag, the digest, or both that select one of its versions.
package struct ImageReference: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Registry host and path without scheme, tag or digest, for example `ghcr.io/acme/performer`.
  package let repository: String
  /// nil when a digest alone names the version.
  package let tag: String?
  /// `sha256:` and 64 lower-case hex digits; nil when a tag alone names the version.
  package let digest: String?

  package init(repository: String, tag: String?, digest: String?) {
    self.repository = repository
    self.tag = tag
    self.digest = digest
  }

  /// What Docker is asked for: `repository@digest` when the digest is known, since only that is checked against the content.
  package var description: String {
    if let digest { return "\(repository)@\(digest)" }
    return "\(repository):\(tag ?? "latest")"
  }
}

/// When a registry is asked for an image.
package enum PullPolicy: String, Hashable, Sendable, Codable, CaseIterable {
  /// Before each deployment; the registry must answer.
  case always = "Always"
  /// Only when the engine does not hold the image already.
  case ifNotPresent = "IfNotPresent"
  /// At no time; the image must have been loaded or built on the host.
  case never = "Never"
}
