import ArgumentParser
import PonosCore
import PonosCrypto

/// `keys`: makes, imports and shows signing keys.
struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Makes, imports and shows signing keys.",
    subcommands: [New.self, Import.self, Show.self])

  /// `keys new`.
  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a new key and writes it as an encrypted keystore.",
      discussion: """
        BN254 keys become EIP-2335 keystores, ECDSA keys Web3 v3 ones: what operator.signingKeys and other Ethereum tools read.
        The file is readable by its owner only and never replaces another.

        EXAMPLES
          ponos-executor keys new --curve bn254 --output operator.bls.json
          ponos-executor keys new --curve ecdsa --output operator.ecdsa.json --password-file password.txt
        """)

    @Option(help: "ecdsa or bn254.")
    var curve: SignatureCurve

    @OptionGroup var file: KeystoreFileOptions
    @OptionGroup var format: OutputOptions

    func run() throws {
      let key: SigningKey
      do throws(KeyError) { key = try SigningKey.generate(curve) } catch { throw CommandFailure(error.message) }
      try file.write(key)
      try KeyDescription(key, file: file.output).print(as: format.output)
    }
  }

  /// `keys import`.
  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Encrypts an existing private key into a keystore.",
      discussion: """
        The digits are read from a file, so that they show up neither in the shell's history nor in the list of processes.

        EXAMPLES
          ponos-executor keys import --curve ecdsa --key-file key.hex --output operator.ecdsa.json
        """)

    @Option(help: "ecdsa or bn254.")
    var curve: SignatureCurve

    @Option(help: ArgumentHelp("File with the hex digits of the private key.", valueName: "file"))
    var keyFile: String

    @OptionGroup var file: KeystoreFileOptions
    @OptionGroup var format: OutputOptions

    func run() throws {
      let key = try SigningKeyOptions.key(inFile: keyFile, curve: curve)
      try file.write(key)
      try KeyDescription(key, file: file.output).print(as: format.output)
    }
  }

  /// `keys show FILE`.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Opens a keystore and shows its public key; never the private one.",
      discussion: """
        EXAMPLES
          ponos-executor keys show --curve bn254 operator.bls.json
          ponos-executor keys show --curve ecdsa operator.ecdsa.json --password-file password.txt -o json
        """)

    @Option(help: "ecdsa or bn254.")
    var curve: SignatureCurve

    @Argument(help: ArgumentHelp("Keystore (EIP-2335 v4 or Web3 v3).", valueName: "file"))
    var file: String

    @OptionGroup var password: PasswordOptions
    @OptionGroup var format: OutputOptions

    func run() throws {
      let key = try SigningKeyOptions.key(inKeystore: file, curve: curve, password: password)
      try KeyDescription(key, file: file).print(as: format.output)
    }
  }
}

/// Where `keys` writes, and under which password.
struct KeystoreFileOptions: ParsableArguments {
  @Option(help: ArgumentHelp("File to write; must not exist.", valueName: "file"))
  var output: String

  @Flag(help: "Weaker password hashing (scrypt n = 4096 instead of 262144): for tests only.")
  var light = false

  @Flag(help: "Encrypt under the empty password: whoever reads the file has the key.")
  var emptyPassword = false

  @OptionGroup var password: PasswordOptions

  func validate() throws {
    if emptyPassword, password.passwordFile != nil {
      throw ValidationError("give --password-file or --empty-password, not both")
    }
  }

  func write(_ key: SigningKey) throws {
    let secret = emptyPassword ? SecretBytes(text: "") : try password.read(isNew: true)
    guard emptyPassword || secret.count > 0 else {
      throw CommandFailure(
        "the password is empty and would protect nothing: choose one, or say --empty-password; nothing was written")
    }
    let cost = light ? ScryptCost.light : .standard
    let json: [UInt8]
    do throws(KeystoreError) {
      json =
        switch key {
        case .ecdsa: try KeystoreWriter.web3(key, password: secret, cost: cost)
        case .bn254: try KeystoreWriter.eip2335(key, password: secret, cost: cost)
        }
    } catch {
      throw CommandFailure(error.message)
    }
    try NewSecretFile.write(json, to: output)
  }
}

/// The public side of a key.
private struct KeyDescription: Encodable {
  var curve: String
  /// ECDSA only.
  var address: String?
  /// BN254 only: G2 point, 128 bytes.
  var publicKey: String?
  var file: String

  init(_ key: SigningKey, file: String) {
    curve = key.curve.rawValue
    self.file = file
    switch key.verificationKey {
    case .ecdsa(let address): self.address = address.description
    case .bn254(let publicKey): self.publicKey = publicKey.description
    }
  }

  func print(as format: OutputFormat) throws {
    switch format {
    case .json: try Console.print(json: self)
    case .table:
      try Console.print("curve       \(curve)")
      if let address { try Console.print("address     \(address)") }
      if let publicKey { try Console.print("public key  \(publicKey)") }
      try Console.print("file        \(file)")
    }
  }
}
