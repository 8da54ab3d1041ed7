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
      let digits = SecretBytes(copying: try SmallFile.read(keyFile, what: "the key file"))
      let key: SigningKey
      do throws(KeyError) { key = try SigningKey(curve: curve, hex: digits) } catch {
        throw CommandFailure("\(keyFile): \(error.message)")
      }
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
      let json = try SmallFile.read(file, what: "the keystore")
      let secret = try password.read(isNew: false)
      let key: SigningKey
      do throws(KeystoreError) { key = try SigningKey(curve: curve, keystore: json, password: secret) } catch {
        throw CommandFailure("\(file): \(error.message)")
      }
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

  @OptionGroup var password: PasswordOptions

  func write(_ key: SigningKey) throws {
    let secret = try password.read(isNew: true)
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
    try SmallFile.writeSecret(json, to: output)
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
      Console.print("curve       \(curve)")
      if let address { Console.print("address     \(address)") }
      if let publicKey { Console.print("public key  \(publicKey)") }
      Console.print("file        \(file)")
    }
  }
}
