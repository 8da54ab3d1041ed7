import GRPCCore
import PonosAPI
import PonosConfiguration
import PonosCore

/// Reads the fields of deployment requests: lengths first, then shapes, then what the configuration allows.
package enum DeployRequest {
  /// What deployments over the network may ask for.
  package struct Rules: Sendable {
    /// nil for an AVS that the configuration does not name: nothing is started for it.
    let configuration: @Sendable (EthereumAddress) -> AVSConfig?
    /// Variables of the daemon's own environment that a performer may be given by `value_from_env`.
    let sharedVariables: Set<String>

    package init(configuration: @escaping @Sendable (EthereumAddress) -> AVSConfig?, sharedVariables: Set<String>) {
      self.configuration = configuration
      self.sharedVariables = sharedVariables
    }
  }

  /// Variables one deployment may bring.
  static let maxVariables = 256
  /// Bytes the name of a variable may have.
  static let maxNameBytes = 256

  static func spec(
    from request: Eigenlayer_Hourglass_V1_DeployArtifactRequest, by rules: Rules
  ) throws(RPCError) -> PerformerSpec {
    let avs = try avs(from: request.avsAddress)
    guard isDigest(request.digest) else {
      throw invalid("digest", "must be sha256: and 64 lower-case hex digits, as the registry prints it")
    }
    guard RepositoryName.isValid(request.registryURL) else {
      throw invalid(
        "registry_url",
        "must be registry and repository in lower case, without scheme and tag, of \(RepositoryName.maxBytes) bytes at most, "
          + "for example ghcr.io/acme/performer")
    }
    guard let configured = rules.configuration(avs) else {
      throw RPCError(
        code: .failedPrecondition,
        message: "AVS \(avs) is not in the configuration of this executor; add it to avsPerformers, then deploy",
        metadata: ["ponos-code": "unknown_avs"])
    }
    return PerformerSpec(
      avs: avs, image: ImageReference(repository: request.registryURL, tag: nil, digest: request.digest),
      pullPolicy: configured.pullPolicy, environment: try environment(request.env, rules),
      concurrency: configured.concurrency, limits: configured.limits, interface: configured.interface)
  }

  static func avs(from text: String) throws(RPCError) -> EthereumAddress {
    guard let avs = EthereumAddress(hex: text) else {
      throw invalid("avs_address", "must be 0x and 40 hex digits")
    }
    return avs
  }

  /// `sha256:` and 64 hex digits in lower case.
  private static func isDigest(_ text: String) -> Bool {
    let prefix = "sha256:"
    guard text.utf8.count == prefix.utf8.count + 64, text.hasPrefix(prefix) else { return false }
    return text.utf8.dropFirst(prefix.utf8.count).allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }

  private static func environment(
    _ variables: [Eigenlayer_Hourglass_V1_PerformerEnv], _ rules: Rules
  ) throws(RPCError) -> [EnvironmentVariable] {
    guard variables.count <= maxVariables else {
      throw invalid("env", "has \(variables.count) variables; a deployment may bring \(maxVariables)")
    }
    return try variables.map { variable throws(RPCError) in try environmentVariable(variable, rules) }
  }

  private static func environmentVariable(
    _ variable: Eigenlayer_Hourglass_V1_PerformerEnv, _ rules: Rules
  ) throws(RPCError) -> EnvironmentVariable {
    guard (1...maxNameBytes).contains(variable.name.utf8.count), !variable.name.contains("="), !variable.name.contains("\0") else {
      throw invalid("env.name", "must have 1 to \(maxNameBytes) bytes, without = and without a zero byte")
    }
    guard !variable.valueFromEnv.isEmpty else {
      return EnvironmentVariable(name: variable.name, source: .literal(variable.value))
    }
    // The daemon's environment holds secrets of its own.
    guard rules.sharedVariables.contains(variable.valueFromEnv) else {
      throw RPCError(
        code: .permissionDenied,
        message: "env.value_from_env of \(variable.name) names a variable that deployments may not read from the executor; "
          + "list it in management.valueFromEnv, or send its value",
        metadata: ["ponos-code": "variable_not_shared"])
    }
    return EnvironmentVariable(name: variable.name, source: .executorEnvironment(variable.valueFromEnv))
  }

  private static func invalid(_ field: String, _ problem: String) -> RPCError {
    RPCError(code: .invalidArgument, message: "\(field) \(problem)")
  }
}
