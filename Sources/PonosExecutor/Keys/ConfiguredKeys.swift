import PonosConfiguration
import PonosCore
import PonosCrypto
import PonosSystem

/// A signing key of the configuration could not be loaded.
package struct KeyLoadError: Error, Sendable, CustomStringConvertible {
  /// Stable code of the cause.
  package let code: String
  /// The configuration key of the signing key: `operator.signingKeys.ecdsa`.
  package let key: String
  /// Names the file, if there is one, the cause and the cure.
  package let message: String

  package var description: String { "\(key): \(message)" }
}

/// Every signing key of the configuration that could not be loaded, at least one.
package struct KeyLoadErrors: Error, Sendable, CustomStringConvertible {
  package let errors: [KeyLoadError]

  /// One line for each.
  package var description: String { errors.map(\.description).joined(separator: "\n") }

  /// The errors as findings about the configuration.
  package var findings: [ConfigurationFinding] {
    errors.map { error in
      ConfigurationFinding(
        severity: .error, code: .unusableKey, key: error.key, origin: nil, message: error.message, cure: nil)
    }
  }
}

extension KeyRing {
  /// Loads the operator's keys from where the configuration says they are. Slow for keystores: their password hash takes seconds
  /// by design.
  package init(_ identity: OperatorIdentity) throws(KeyLoadErrors) {
    try self.init(identity.keySources.map { ($0.scope, $0.load()) })
  }

  /// The same with the keys of AVSs and operator sets.
  package init(_ config: ExecutorConfig) throws(KeyLoadErrors) {
    try self.init(config.keySources.map { ($0.scope, $0.load()) })
  }

  /// Loads the operator's keys like `init(_:)`, all at the same time, each on a thread of its own.
  package static func load(_ identity: OperatorIdentity) async throws(KeyLoadErrors) -> KeyRing {
    try await load(identity.keySources)
  }

  /// The same with the keys of AVSs and operator sets.
  package static func load(_ config: ExecutorConfig) async throws(KeyLoadErrors) -> KeyRing {
    try await load(config.keySources)
  }

  private static func load(_ sources: [ConfiguredKey]) async throws(KeyLoadErrors) -> KeyRing {
    let outcomes = await withTaskGroup(of: (Int, Result<SigningKey, KeyLoadError>).self) { group in
      for (index, source) in sources.enumerated() {
        group.addTask { (index, await BlockingWork.run { source.load() }) }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    return try KeyRing(sources.indices.compactMap { index in outcomes[index].map { (sources[index].scope, $0) } })
  }

  private init(_ outcomes: [(Scope, Result<SigningKey, KeyLoadError>)]) throws(KeyLoadErrors) {
    var keys: [(Scope, Signer)] = []
    var errors: [KeyLoadError] = []
    for (scope, outcome) in outcomes {
      switch outcome {
      case .success(let key): keys.append((scope, key.signer))
      case .failure(let error): errors.append(error)
      }
    }
    guard errors.isEmpty else { throw KeyLoadErrors(errors: errors) }
    self.init(scoped: keys)
  }
}

extension OperatorIdentity {
  /// The curves a key is configured for.
  package var curves: Set<SignatureCurve> { Set(keySources.map(\.curve)) }

  fileprivate var keySources: [ConfiguredKey] {
    SigningKeySources(ecdsa: ecdsaKey, bn254: bn254Key).keys(for: .all, below: "operator")
  }
}

extension ExecutorConfig {
  /// All keys: the operator's, those of AVSs, those of operator sets.
  fileprivate var keySources: [ConfiguredKey] {
    identity.keySources
      + avs.enumerated().flatMap { index, avs in
        let path = "avsPerformers[\(index)]"
        return avs.signingKeys.keys(for: .avs(avs.address), below: path)
          + avs.operatorSetKeys.sorted { $0.key < $1.key }.flatMap { id, sources in
            sources.keys(for: .set(OperatorSet(avs: avs.address, id: id)), below: "\(path).operatorSetKeys (set \(id))")
          }
      }
  }
}

extension SigningKeySources {
  fileprivate func keys(for scope: KeyRing.Scope, below path: String) -> [ConfiguredKey] {
    let sources: [(KeySource?, SignatureCurve, String)] = [(ecdsa, .ecdsa, "ecdsa"), (bn254, .bn254, "bls")]
    return sources.compactMap { source, curve, name in
      source.map { ConfiguredKey(source: $0, curve: curve, key: "\(path).signingKeys.\(name)", scope: scope) }
    }
  }
}

/// A key as the configuration describes it.
private struct ConfiguredKey: Sendable {
  let source: KeySource
  let curve: SignatureCurve
  /// The configuration key.
  let key: String
  let scope: KeyRing.Scope

  func load() -> Result<SigningKey, KeyLoadError> {
    Result { () throws(KeyLoadError) in try Self.load(source, curve: curve, at: key) }
  }

  private static func load(
    _ source: KeySource, curve: SignatureCurve, at key: String
  ) throws(KeyLoadError) -> SigningKey {
    switch source {
    case .hex(let digits):
      do throws(KeyError) { return try SigningKey(curve: curve, hex: digits) } catch {
        throw KeyLoadError(code: error.code, key: key, message: error.message)
      }
    case .keystoreFile(let path, let password):
      let name = BoundedFile.displayName(ofKeystore: path)
      return try open(try read(path, name: name, at: key), password: password, curve: curve, at: key, name: "\(name): ")
    case .keystoreText(let text, let password):
      return try open(text.withUnsafeBytes { Array($0) }, password: password, curve: curve, at: key, name: "")
    }
  }

  private static func read(_ path: String, name: String, at key: String) throws(KeyLoadError) -> [UInt8] {
    do throws(BoundedFile.ReadError) {
      return try BoundedFile.read(path, maximum: Keystore.maximumSize, regularOnly: true)
    } catch {
      throw KeyLoadError(
        code: "keystore_unreadable", key: key,
        message: "\(name) cannot be read: \(error.message); check the path and who may read it")
    }
  }

  private static func open(
    _ json: [UInt8], password: SecretBytes, curve: SignatureCurve, at key: String, name: String
  ) throws(KeyLoadError) -> SigningKey {
    do throws(KeystoreError) {
      return try SigningKey(curve: curve, keystore: json, password: password)
    } catch {
      throw KeyLoadError(code: error.code, key: key, message: "\(name)\(error.message)")
    }
  }
}
