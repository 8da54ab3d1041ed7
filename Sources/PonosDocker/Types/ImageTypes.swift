/// An image the engine holds (`GET /images/NAME/json`).
package struct ImageDetails: Sendable, Equatable, Decodable {
  /// `sha256:` and 64 hex digits.
  package let id: String
  /// `repository:tag` each.
  package let tags: [String]
  /// `repository@sha256:…` each; empty for images that never met a registry.
  package let digests: [String]
  /// Bytes.
  package let size: Int64
  package let architecture: String
  package let os: String
  /// Paths that the image declares as volumes, sorted: for each of them a container gets a volume of its own on the host, unless
  /// something else is mounted there.
  package let volumes: [String]

  private struct Config: Decodable {
    struct Volume: Decodable {}
    let volumes: [String: Volume]?
    enum CodingKeys: String, CodingKey { case volumes = "Volumes" }
  }

  private enum CodingKeys: String, CodingKey {
    case id = "Id", tags = "RepoTags", digests = "RepoDigests", size = "Size", architecture = "Architecture", os = "Os"
    case config = "Config"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decode(String.self, forKey: .id)
    tags = try values.decodeIfPresent([String].self, forKey: .tags) ?? []
    digests = try values.decodeIfPresent([String].self, forKey: .digests) ?? []
    size = try values.decodeIfPresent(Int64.self, forKey: .size) ?? 0
    architecture = try values.decodeIfPresent(String.self, forKey: .architecture) ?? ""
    os = try values.decodeIfPresent(String.self, forKey: .os) ?? ""
    volumes = (try values.decodeIfPresent(Config.self, forKey: .config)?.volumes ?? [:]).keys.sorted()
  }
}

/// A line of the list of images.
package struct ImageSummary: Sendable, Equatable, Decodable {
  package let id: String
  package let tags: [String]
  package let digests: [String]
  /// Bytes.
  package let size: Int64
  package let labels: [String: String]

  private enum CodingKeys: String, CodingKey {
    case id = "Id", tags = "RepoTags", digests = "RepoDigests", size = "Size", labels = "Labels"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decode(String.self, forKey: .id)
    tags = try values.decodeIfPresent([String].self, forKey: .tags) ?? []
    digests = try values.decodeIfPresent([String].self, forKey: .digests) ?? []
    size = try values.decodeIfPresent(Int64.self, forKey: .size) ?? 0
    labels = try values.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
  }
}

/// A user of a registry.
package struct RegistryCredentials: Sendable, CustomStringConvertible {
  package let username: String
  private let password: String
  /// Host and port of the registry.
  package let serverAddress: String

  package init(username: String, password: String, serverAddress: String) {
    self.username = username
    self.password = password
    self.serverAddress = serverAddress
  }

  /// Never contains the password.
  package var description: String { "\(username) at \(serverAddress)" }

  struct Payload: Encodable {
    let username, password, serveraddress: String
  }

  var payload: Payload { Payload(username: username, password: password, serveraddress: serverAddress) }
}

/// A message of a pull, push or build stream.
struct ProgressMessage: Decodable, Sendable {
  struct ErrorDetail: Decodable, Sendable { let message: String? }
  struct Auxiliary: Decodable, Sendable {
    let id: String?
    let digest: String?
    enum CodingKeys: String, CodingKey { case id = "ID", digest = "Digest" }
  }

  let status: String?
  let stream: String?
  let error: String?
  let errorDetail: ErrorDetail?
  let aux: Auxiliary?

  /// What went wrong; nil for a message of progress.
  var failure: String? { errorDetail?.message ?? error }
}
