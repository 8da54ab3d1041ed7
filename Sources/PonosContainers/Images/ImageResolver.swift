import PonosCore
import PonosDocker

/// An image the engine holds.
package struct ResolvedImage: Sendable, Equatable {
  /// What containers are created by: the reference asked for, or the image's id where no reference leads to it.
  package let reference: String
  /// `sha256:` and 64 hex digits.
  package let id: String
  /// Paths the image declares as volumes.
  package let volumes: [String]

  fileprivate init(_ image: ImageDetails, reference: String) {
    self.reference = reference
    id = image.id
    volumes = image.volumes
  }
}

/// Finds images on the engine, and brings them there when the pull policy says so.
package struct ImageResolver: Sendable {
  let docker: DockerClient
  /// Limit on a whole pull.
  var pullLimit: Duration
  /// Limit on the time without progress.
  var pullIdleLimit: Duration

  /// The image that `image` names. `pulling` is called when, and only when, a registry is asked.
  func resolve(
    _ image: ImageReference, policy: PullPolicy, pulling: @Sendable () -> Void
  ) async throws(DockerError) -> ResolvedImage {
    if policy != .always, let found = try await local(image) { return found }
    guard policy != .never else {
      throw DockerError(
        .imageNotFound, "The engine does not hold \(image), and its pull policy is Never",
        cure: "Load or build it on this host, or set the policy to IfNotPresent.")
    }
    pulling()
    let pulled = try await docker.pullImage(
      repository: image.repository, version: image.digest ?? image.tag ?? "latest", idleLimit: pullIdleLimit,
      totalLimit: pullLimit)
    return ResolvedImage(pulled, reference: image.description)
  }

  /// The image of the id, if the engine still holds it.
  func held(id: String) async throws(DockerError) -> ResolvedImage? {
    try await docker.image(id).map { ResolvedImage($0, reference: id) }
  }

  private func local(_ image: ImageReference) async throws(DockerError) -> ResolvedImage? {
    if let found = try await docker.image(image.description) {
      return ResolvedImage(found, reference: image.description)
    }
    // An image that was built or loaded here has no digest from a registry. Its id is a digest of its content as well.
    guard let digest = image.digest, let found = try await docker.image(digest), found.id == digest,
      (found.tags + found.digests).contains(where: { Self.repository(of: $0) == Self.normalized(image.repository) })
    else { return nil }
    return ResolvedImage(found, reference: found.id)
  }

  private static func repository(of name: String) -> String {
    if let at = name.firstIndex(of: "@") { return normalized(String(name[..<at])) }
    guard let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") else { return normalized(name) }
    return normalized(String(name[..<colon]))
  }

  /// Without the parts that engines leave out for Docker Hub.
  private static func normalized(_ repository: String) -> String {
    for prefix in ["docker.io/library/", "docker.io/"] where repository.hasPrefix(prefix) {
      return String(repository.dropFirst(prefix.count))
    }
    return repository
  }
}
