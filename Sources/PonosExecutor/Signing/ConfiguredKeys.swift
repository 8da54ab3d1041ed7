import Foundation
import PonosCore
import PonosCrypto

/// A signing key of the configuration could not be loaded.
package struct KeyLoadError: Error, Sendable, CustomStringConvertible {
  /// Stable code of the cause.
  package let code: String
  /// The configuration key, the file where there is one, the cause and the cure.
  package let description: String
}

extension KeyRing {
  /// Loads the operator's keys from where the configuration says they are. Slow for keystores: their password hash takes seconds by design.
  package init(_ identity: OperatorIdentity) throws(KeyLoadError) {
    var keys: [SigningKey] = []
    if let source = identity.ecdsaKey { keys.append(try Self.load(source, curve: .ecdsa, at: "operator.signingKeys.ecdsa")) }
    if let source = identity.bn254Key { keys.append(try Self.load(source, curve: .bn254, at: "operator.signingKeys.bls")) }
    self.init(keys)
  }

  private static func load(
    _ source: KeySource, curve: SignatureCurve, at path: String
  ) throws(KeyLoadError) -> SigningKey {
    switch source {
    case .hex(let digits):
      do throws(KeyError) { return try SigningKey(curve: curve, hex: digits) } catch {
        throw KeyLoadError(code: error.code, description: "\(path): \(error.message)")
      }
    case .keystoreFile(let file, let password):
      return try open(try read(file, at: path), password: password, curve: curve, at: "\(path): \(file)")
    case .keystoreText(let text, let password):
      return try open(text.withUnsafeBytes { Array($0) }, password: password, curve: curve, at: path)
    }
  }

  private static func read(_ file: String, at path: String) throws(KeyLoadError) -> [UInt8] {
    do { return Array(try Data(contentsOf: URL(filePath: file))) } catch {
      throw KeyLoadError(
        code: "keystore_unreadable",
        description: "\(path): \(file) cannot be read (\(error.localizedDescription)); check the path and who may read it")
    }
  }

  private static func open(
    _ json: [UInt8], password: SecretBytes, curve: SignatureCurve, at place: String
  ) throws(KeyLoadError) -> SigningKey {
    do throws(KeystoreError) {
      return try SigningKey(curve: curve, keystore: json, password: password)
    } catch {
      throw KeyLoadError(code: error.code, description: "\(place): \(error.message)")
    }
  }
}
