/// What an engine says about itself (`GET /version`).
package struct EngineVersion: Sendable, Equatable, Decodable {
  /// Version of the engine, for example `20.10.24`.
  package let version: String
  /// Newest API version it speaks.
  package let apiVersion: APIVersion
  /// Oldest API version it speaks; equal to `apiVersion` when it does not say.
  package let minAPIVersion: APIVersion
  /// Names of its parts, for example `Engine`, or `Podman Engine`.
  package let components: [String]

  private struct Component: Decodable {
    let name: String?
    enum CodingKeys: String, CodingKey { case name = "Name" }
  }

  private enum CodingKeys: String, CodingKey {
    case version = "Version", apiVersion = "ApiVersion", minAPIVersion = "MinAPIVersion", components = "Components"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    version = try values.decodeIfPresent(String.self, forKey: .version) ?? "unknown"
    let newest = try values.decode(String.self, forKey: .apiVersion)
    guard let newest = APIVersion(newest) else {
      throw DecodingError.dataCorruptedError(
        forKey: .apiVersion, in: values, debugDescription: "'\(newest)' is not a version")
    }
    apiVersion = newest
    let oldest = try values.decodeIfPresent(String.self, forKey: .minAPIVersion) ?? ""
    minAPIVersion = oldest.isEmpty ? newest : APIVersion(oldest) ?? newest
    components = (try values.decodeIfPresent([Component].self, forKey: .components) ?? []).compactMap(\.name)
  }
}

/// What an engine says about its host (`GET /info`).
package struct EngineInfo: Sendable, Equatable, Decodable {
  /// Identity of the engine; nil for engines without one.
  package let id: String?
  package let name: String
  /// Processors of the host.
  package let cpus: Int
  /// Memory of the host, in bytes.
  package let memoryBytes: Int64
  /// For example `name=seccomp,profile=default`, `name=apparmor`.
  package let securityOptions: [String]
  package let containersRunning: Int
  package let runtimes: [String]
  package let liveRestoreEnabled: Bool

  /// The profile that filters the system calls of containers: `default`, `builtin` or a path on the engine's host. nil when
  /// nothing is filtered.
  package var seccompProfile: String? {
    let fields = securityOptions.lazy.map { $0.split(separator: ",") }.first { $0.contains("name=seccomp") }
    guard let fields else { return nil }
    // Engines that name no profile have only their own.
    let profile = fields.first { $0.hasPrefix("profile=") }?.dropFirst("profile=".count) ?? "default"
    return profile == "unconfined" ? nil : String(profile)
  }

  private struct Runtime: Decodable {}

  private enum CodingKeys: String, CodingKey {
    case id = "ID", name = "Name", cpus = "NCPU", memoryBytes = "MemTotal", securityOptions = "SecurityOptions"
    case containersRunning = "ContainersRunning", runtimes = "Runtimes", liveRestoreEnabled = "LiveRestoreEnabled"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decodeIfPresent(String.self, forKey: .id)
    name = try values.decodeIfPresent(String.self, forKey: .name) ?? ""
    cpus = try values.decodeIfPresent(Int.self, forKey: .cpus) ?? 0
    memoryBytes = try values.decodeIfPresent(Int64.self, forKey: .memoryBytes) ?? 0
    securityOptions = try values.decodeIfPresent([String].self, forKey: .securityOptions) ?? []
    containersRunning = try values.decodeIfPresent(Int.self, forKey: .containersRunning) ?? 0
    runtimes = (try values.decodeIfPresent([String: Runtime].self, forKey: .runtimes) ?? [:]).keys.sorted()
    liveRestoreEnabled = try values.decodeIfPresent(Bool.self, forKey: .liveRestoreEnabled) ?? false
  }
}
