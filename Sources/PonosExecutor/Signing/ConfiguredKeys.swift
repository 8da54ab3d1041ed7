import PonosCore
import PonosCrypto

/// A signing key of the configuration could not be loaded.
package struct KeyLoadError: Error, Sendable, CustomStringConvertible {
  /// Stable code of the cause.
  package let code: String
  /// The configuration key of the signing key: `operator.signingKeys.ecdsa`.
  package let key: String
  /// The file where there is one, the cause and the cure.
  package let message: String

  package var description: String { "\(key): \(message)" }
}

/// Every signing key of the configuration that could not be loaded, at least one.
package struct KeyLoadErrors: Error, Sendable, CustomStringConvertible {
  package let errors: [KeyLoadError]

  /// One line for each.
  package var description: String { errors.map(\.description).joined(separator: "\n") }

  /// The same as findings about the configuration.
  package var findings: [ConfigurationFinding] {
    errors.map { error in
      ConfigurationFinding(
        severity: .error, code: .unusableKey, key: error.key, origin: nil, message: error.message, cure: nil)
    }
  }
}

extension KeyRing {
  /// Loads the operator's keys from where the configuration says they are. Slow for keystores: their password hash takes seconds by design.
  package init(_ identity: OperatorIdentity) throws(KeyLoadErrors) {
    let sources: [(KeySource?, SignatureCurve, String)] = [
      (identity.ecdsaKey, .ecdsa, "operator.signingKeys.ecdsa"), (identity.bn254Key, .bn254, "operator.signingKeys.bls"),
    ]
    var keys: [SigningKey] = []
    var errors: [KeyLoadError] = []
    for case (let source?, let curve, let key) in sources {
      do { keys.append(try Self.load(source, curve: curve, at: key)) } catch { errors.append(error) }
    }
    guard errors.isEmpty else { throw KeyLoadErrors(errors: errors) }
    self.init(keys)
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
