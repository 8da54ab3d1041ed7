import ArgumentParser
import PonosCore
import PonosCrypto

extension SignatureCurve: ExpressibleByArgument {}

/// A private key given to a command: a file with hex digits, or a keystore.
struct SigningKeyOptions: ParsableArguments {
  @Option(help: ArgumentHelp("File with the hex digits of the private key.", valueName: "file"))
  var keyFile: String?

  @Option(help: ArgumentHelp("Keystore of the private key (EIP-2335 v4 or Web3 v3).", valueName: "file"))
  var keystore: String?

  @Option(help: "Curve of the private key: ecdsa or bn254.")
  var curve = SignatureCurve.ecdsa

  @OptionGroup var password: PasswordOptions

  func validate() throws {
    if keyFile != nil && keystore != nil { throw ValidationError("give --key-file or --keystore, not both") }
  }

  /// The key; nil when none was given.
  func load() throws -> SigningKey? {
    if let keyFile { return try Self.key(inFile: keyFile, curve: curve) }
    guard let keystore else { return nil }
    return try Self.key(inKeystore: keystore, curve: curve, password: password)
  }

  /// The key whose hex digits the file of `--key-file` holds.
  static func key(inFile path: String, curve: SignatureCurve) throws -> SigningKey {
    let digits = try SecretFile.read(path, option: "--key-file")
    do throws(KeyError) { return try SigningKey(curve: curve, hex: digits) } catch {
      throw CommandFailure("\(path): \(error.message)")
    }
  }

  /// The key in a keystore.
  static func key(inKeystore path: String, curve: SignatureCurve, password: PasswordOptions) throws -> SigningKey {
    let json = try SmallFile.readKeystore(path)
    let secret = try password.read(isNew: false)
    do throws(KeystoreError) { return try SigningKey(curve: curve, keystore: json, password: secret) } catch {
      throw CommandFailure("\(path): \(error.message)")
    }
  }
}
