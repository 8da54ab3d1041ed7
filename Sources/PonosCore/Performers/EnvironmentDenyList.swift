/// Names of variables that are kept away from performers.
///
/// Deployment tools send the operator's whole environment along, keys and passwords included. What this list matches is dropped
/// before it is stored or given to a container. Variables that the configuration file names are not subject to it.
package struct EnvironmentDenyList: Sendable, Equatable {
  /// Whole names.
  package var names: Set<String>
  /// Beginnings of names.
  package var prefixes: [String]
  /// Parts of names.
  package var fragments: [String]
  /// Ends of names that no fragment applies to, since what they name is public.
  package var publicSuffixes: [String]

  /// All in upper case; names are compared without regard to case.
  package init(names: Set<String>, prefixes: [String], fragments: [String], publicSuffixes: [String]) {
    self.names = names
    self.prefixes = prefixes
    self.fragments = fragments
    self.publicSuffixes = publicSuffixes
  }

  /// Key material and passwords, cloud and tool credentials, and variables that describe the host and not the performer.
  package static let standard = EnvironmentDenyList(
    names: [
      "PATH", "HOME", "PWD", "OLDPWD", "SHELL", "USER", "LOGNAME", "HOSTNAME", "TERM", "SHLVL", "_", "MAIL", "EDITOR",
      "VISUAL", "PAGER", "TMPDIR", "DISPLAY", "LS_COLORS", "BASH_ENV", "ENV", "IFS", "PS1", "LANG", "LANGUAGE", "TZ",
      "NODE_OPTIONS", "PYTHONPATH", "KUBECONFIG",
    ],
    prefixes: ["SYSTEM_", "SSH_", "XDG_", "DOCKER_", "AWS_", "AZURE_", "GOOGLE_", "GCP_", "VAULT_", "LC_", "LD_", "EXECUTOR_"],
    fragments: [
      "PRIVATE_KEY", "PRIVATEKEY", "KEYSTORE", "PASSWORD", "PASSPHRASE", "MNEMONIC", "SEED_PHRASE", "WEB3_SIGNER", "SECRET",
      "TOKEN", "API_KEY", "APIKEY", "ACCESS_KEY", "CREDENTIAL",
    ],
    // Tokens are contracts too: TOKEN_ADDRESS says where one is.
    publicSuffixes: ["_ADDRESS"])

  /// Whether a variable of that name is kept away.
  package func denies(_ name: String) -> Bool {
    let name = name.uppercased()
    if names.contains(name) || prefixes.contains(where: { name.hasPrefix($0) }) { return true }
    return fragments.contains { name.contains($0) } && !publicSuffixes.contains { name.hasSuffix($0) }
  }

  /// The variables that may pass, and how many were dropped. A variable that would be read from the daemon's environment under a
  /// denied name is dropped too, under any name in the container.
  package func filter(_ variables: [EnvironmentVariable]) -> (passed: [EnvironmentVariable], dropped: Int) {
    let passed = variables.filter { variable in
      guard !denies(variable.name) else { return false }
      guard case .executorEnvironment(let source) = variable.source else { return true }
      return !denies(source)
    }
    return (passed, variables.count - passed.count)
  }
}
