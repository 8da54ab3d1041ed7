/// A version of the Docker Engine API, compared number by number: 1.9 is older than 1.41.
package struct APIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let major: Int
  package let minor: Int

  package init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// nil unless `text` is two decimal numbers with a dot between them.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]), major >= 0, minor >= 0 else { return nil }
    self.init(major, minor)
  }

  package static func < (left: APIVersion, right: APIVersion) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }

  package var description: String { "\(major).\(minor)" }

  /// The oldest version this client speaks: Docker 20.10.
  package static let oldestSpoken = APIVersion(1, 41)
  /// The newest version this client speaks: Docker 25, and the oldest one that Docker 29 accepts.
  package static let newestSpoken = APIVersion(1, 44)

  /// The newest version both sides speak. Throws `versionUnsupported`, naming both ranges, when there is none.
  package static func negotiate(serverOldest: APIVersion, serverNewest: APIVersion) throws(DockerError) -> APIVersion {
    let version = min(serverNewest, newestSpoken)
    guard version >= max(serverOldest, oldestSpoken) else {
      throw DockerError(
        .versionUnsupported,
        "The Docker Engine speaks API versions \(serverOldest) to \(serverNewest), this daemon \(oldestSpoken) to \(newestSpoken)",
        cure: serverNewest < oldestSpoken ? "Upgrade the Docker Engine to 20.10 or later." : "Upgrade this daemon.")
    }
    return version
  }

  /// Whether an engine's answer refuses the version the request was written in.
  static func isRefusal(status: Int, message: String) -> Bool {
    status == 400 && message.contains("client version")
      && (message.contains("is too new") || message.contains("is too old"))
  }
}
