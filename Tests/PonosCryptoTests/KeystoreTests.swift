import Foundation
import PonosCore
import PonosTesting
import Testing

@testable import PonosCrypto

@Suite struct KeystoreTests {
  @Test(arguments: try Vectors.of("keystore_eip2335"))
  func opensEIP2335(_ vector: TestVector) throws {
    let password = SecretBytes(text: try vector.inputs.string("password"))
    #expect(try KeystorePassword.normalized(password) == SecretBytes(copying: vector.inputs.bytes("processed_password_hex")))
    let keystore = try Keystore(json: vector.inputs.member("keystore").text)
    #expect(keystore.format == .eip2335)
    let key = try keystore.decrypt(password: password, as: .bn254)
    let expected = try BN254PrivateKey(scalar: TestKeys.secret(vector.outputs.string("secret_hex")))
    #expect(key.verificationKey == .bn254(expected.publicKey))
  }

  @Test(arguments: try Vectors.of("keystore_web3_v3"))
  func opensWeb3(_ vector: TestVector) throws {
    let password = SecretBytes(text: try vector.inputs.string("password"))
    let keystore = try Keystore(json: vector.inputs.member("keystore").text)
    #expect(keystore.format == .web3)
    let key = try keystore.decrypt(password: password, as: .ecdsa)
    #expect(key.verificationKey == .ecdsa(try vector.outputs.address("address")))
  }

  /// The text is 77 decimal digits; its public key says that the digits' bytes are meant.
  @Test(arguments: try Vectors.of("keystore_legacy"))
  func opensTheOlderMixture(_ vector: TestVector) throws {
    let password = SecretBytes(text: try vector.inputs.string("password"))
    let keystore = try Keystore(json: vector.inputs.member("keystore").text)
    #expect(keystore.format == .legacy)
    #expect(try keystore.secret(password: password) == TestKeys.secret(vector.outputs.string("secret_hex")))
    let key = try keystore.decrypt(password: password, as: .bn254)
    let expected = try TestKeys.bn254(vector.outputs.string("scalar_mod_r_hex"))
    #expect(key.verificationKey == .bn254(expected.publicKey))
  }

  @Test(arguments: try Vectors.of("keystore_eip2335_reject"))
  func wrongPasswordIsAnErrorOfItsOwn(_ vector: TestVector) throws {
    let file = try vector.inputs.string("keystore_file")
    let name = try #require(file.split(separator: "/").last)
    let keystore = try #require(try Vectors.of("keystore_eip2335").first { $0.name.contains(name) })
    let json = try keystore.inputs.member("keystore").text
    let password = SecretBytes(text: try vector.inputs.string("password"))
    expectError(KeystoreError.self, where: { $0 == .wrongPassword }) {
      _ = try SigningKey(curve: .bn254, keystore: json, password: password)
    }
  }

  @Test(arguments: SignatureCurve.allCases, [Keystore.Format.eip2335, .web3])
  func whatIsWrittenOpensAgain(_ curve: SignatureCurve, _ format: Keystore.Format) throws {
    for text in ["", "correct horse", "pass\u{7f}word\u{85}", "ﬁ𝔱Å"] {
      let key = try SigningKey.generate(curve)
      let password = SecretBytes(text: text)
      let json = try Self.write(key, format, password)
      let keystore = try Keystore(json: json)
      #expect(keystore.format == format)
      let opened = try keystore.decrypt(password: password, as: curve)
      #expect(opened.verificationKey == key.verificationKey)
      expectError(KeystoreError.self, where: { $0 == .wrongPassword }) {
        _ = try keystore.decrypt(password: SecretBytes(text: text + "x"), as: curve)
      }
    }
  }

  /// EIP-2335 treats passwords that look alike as the same; Web3 does not.
  @Test func normalisesPasswordsWhereTheFormatSaysSo() throws {
    let key = try SigningKey.generate(.bn254)
    let composed = SecretBytes(text: "\u{c5}ngstr\u{f6}m\u{7}")
    let decomposed = SecretBytes(text: "A\u{30a}ngstro\u{308}m")
    let eip2335 = try Keystore(json: Self.write(key, .eip2335, composed))
    #expect(throws: Never.self) { try eip2335.decrypt(password: decomposed, as: .bn254) }
    let web3 = try Keystore(json: Self.write(key, .web3, composed))
    expectError(KeystoreError.self, where: { $0 == .wrongPassword }) {
      _ = try web3.decrypt(password: decomposed, as: .bn254)
    }
    expectError(KeystoreError.self, where: { $0 == .passwordNotText }) {
      _ = try eip2335.decrypt(password: SecretBytes(copying: [0xff, 0xfe]), as: .bn254)
    }
  }

  /// RFC 7914's example (its first 32 bytes), and block sizes from 1 to 32 against OpenSSL where that allows them: the keystores
  /// of the Web3 definition and of Python's tools have r 1 with a large n.
  @Test(arguments: [
    (
      "pleaseletmein", Hex.encode(Array("SodiumChloride".utf8)), 16384, 8, 1,
      "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    ),
    (
      "pw", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 2048, 32, 1,
      "a825324d28e7ae11d206fb31b7c941a9d58e67573f46f93ab93e7b2c70131039"
    ),
    (
      "testpassword", "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19", 262_144, 1, 8,
      "fac192ceb5fd772906bea3e118a69e8bbb5cc24229e20d8766fd298291bba6bd"
    ),
  ])
  func derivesScryptKeys(password: String, salt: String, n: Int, r: Int, p: Int, expected: String) throws {
    let parameters = KeystoreDocument.KDFParameters(dklen: 32, salt: salt, n: .init(n), r: .init(r), p: .init(p))
    let cost = try ScryptCost(parameters: parameters, field: "crypto.kdfparams")
    let key = try cost.deriveKey(password: SecretBytes(text: password), salt: try #require(Hex.decode(salt)))
    #expect(try key == TestKeys.secret(expected))
  }

  /// ethers writes "Crypto" with a capital.
  @Test func readsEthersKeystores() throws {
    let key = try SigningKey.generate(.ecdsa)
    let password = SecretBytes(text: "pw")
    let json = try JSON(Self.write(key, .web3, password))
    let capital = json.replacing("Crypto", with: try json.member("crypto"))
    let opened = try SigningKey(
      curve: .ecdsa, keystore: capital.replacing("crypto", with: nil).text, password: password)
    #expect(opened.verificationKey == key.verificationKey)
    let both = try capital.text
    expectError(KeystoreError.self, where: { $0.code == "keystore_format" && $0.message.contains("Crypto") }) {
      _ = try Keystore(json: both)
    }
  }

  /// Any 32 bytes make a BN254 key, so an account's keystore in the wrong place would open as a key nobody registered.
  @Test func refusesAnAccountsKeystoreAsBN254() throws {
    let password = SecretBytes(text: "pw")
    let account = try JSON(Self.write(.generate(.ecdsa), .web3, password))
    #expect(account["curveType"] == nil && account["publicKey"] == nil)
    let json = try account.text
    expectError(
      KeystoreError.self, where: { $0 == .curveMismatch(keystore: "secp256k1", requested: .bn254) }
    ) {
      _ = try SigningKey(curve: .bn254, keystore: json, password: password)
    }
    // An address that is not the secret's says nothing.
    let other = try account.replacing("address", with: .string(String(repeating: "12", count: 20))).text
    #expect(throws: Never.self) { try SigningKey(curve: .bn254, keystore: other, password: password) }
  }

  /// The example of EIP-2335 itself: "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑" becomes "testpassword🔑".
  @Test func normalisesTheStandardsExample() throws {
    let password = SecretBytes(text: "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑")
    #expect(try KeystorePassword.normalized(password) == SecretBytes(text: "testpassword🔑"))
  }

  /// The EigenLayer command line names the curve otherwise and writes the public key in G1, compressed.
  @Test func opensTheEigenLayerCommandLinesVariant() throws {
    let key = try BN254PrivateKey.generate()
    let password = SecretBytes(text: "pw")
    let json = try JSON(Self.write(.bn254(key), .eip2335, password))
      .replacing("curveType", with: nil)
      .replacing("curve", with: .string("bn254"))
      .replacing("path", with: .string("m/254/60/0/0"))
      .replacing("pubkey", with: .string(Hex.encode(key.publicKeyG1Compressed))).text
    let opened = try SigningKey(curve: .bn254, keystore: json, password: password)
    #expect(opened.verificationKey == .bn254(key.publicKey))
    let other = try JSON(json).replacing("curve", with: .string("bls12-381")).text
    expectError(KeystoreError.self, where: { $0.code == "curve_mismatch" }) {
      _ = try SigningKey(curve: .bn254, keystore: other, password: password)
    }
  }

  /// A secret of decimal digits whose public key belongs to the number they spell.
  @Test func readsDecimalDigitsWherethePublicKeySaysSo() throws {
    let key = try TestKeys.bn254("0102030405060708")
    let digits = SecretBytes(text: "72623859790382856")
    let password = SecretBytes(text: "pw")
    let salt = TestKeys.randomBytes(32)
    let seal = try KeystoreSeal.make(
      digits, check: .keccak256, kdf: .scrypt(cost: .light, salt: salt), password: password)
    let json = try JSON(Self.write(.bn254(key), .web3, password))
      .replacing("crypto.ciphertext", with: .string(Hex.encode(seal.ciphertext)))
      .replacing("crypto.cipherparams.iv", with: .string(Hex.encode(seal.counter)))
      .replacing("crypto.mac", with: .string(Hex.encode(seal.checkValue)))
      .replacing("crypto.kdfparams.salt", with: .string(Hex.encode(salt))).text
    let opened = try SigningKey(curve: .bn254, keystore: json, password: password)
    #expect(opened.verificationKey == .bn254(key.publicKey))
  }

  @Test(arguments: SignatureCurve.allCases, [Keystore.Format.eip2335, .web3])
  func refusesAnotherKeysPublicKey(_ curve: SignatureCurve, _ format: Keystore.Format) throws {
    let password = SecretBytes(text: "pw")
    let other = try SigningKey.generate(curve)
    let field =
      switch (format, curve) {
      case (.web3, .ecdsa): "address"
      case (.web3, .bn254): "publicKey"
      default: "pubkey"
      }
    let foreign = try #require(try JSON(Self.write(other, format, password))[field])
    let json = try JSON(Self.write(SigningKey.generate(curve), format, password)).replacing(field, with: foreign).text
    expectError(KeystoreError.self, where: { $0.code == "public_key_mismatch" }) {
      _ = try SigningKey(curve: curve, keystore: json, password: password)
    }
  }

  @Test func refusesTheOtherCurvesKeystore() throws {
    let password = SecretBytes(text: "pw")
    for (curve, other) in [(SignatureCurve.ecdsa, SignatureCurve.bn254), (.bn254, .ecdsa)] {
      let json = try Self.write(SigningKey.generate(curve), .eip2335, password)
      expectError(KeystoreError.self, where: { $0.code == "curve_mismatch" }) {
        _ = try SigningKey(curve: other, keystore: json, password: password)
      }
    }
  }

  /// A secret that is no key of the curve: an ECDSA keystore with a short one, a BN254 keystore with zero.
  @Test func refusesSecretsThatAreNoKeys() throws {
    let password = SecretBytes(text: "pw")
    for (curve, secret) in [(SignatureCurve.ecdsa, [1, 2, 3]), (.bn254, [UInt8](repeating: 0, count: 32))] {
      let salt = TestKeys.randomBytes(32)
      let seal = try KeystoreSeal.make(
        SecretBytes(copying: secret), check: .sha256, kdf: .scrypt(cost: .light, salt: salt), password: password)
      let json = try JSON(Self.write(SigningKey.generate(curve), .eip2335, password))
        .replacing("crypto.kdf.params.salt", with: .string(Hex.encode(salt)))
        .replacing("crypto.cipher.message", with: .string(Hex.encode(seal.ciphertext)))
        .replacing("crypto.cipher.params.iv", with: .string(Hex.encode(seal.counter)))
        .replacing("crypto.checksum.message", with: .string(Hex.encode(seal.checkValue))).text
      expectError(KeystoreError.self, where: { $0.code == "invalid_key" }) {
        _ = try SigningKey(curve: curve, keystore: json, password: password)
      }
    }
  }

  @Test func writtenFilesHaveTheFieldsOtherToolsAskFor() throws {
    let bn254 = try BN254PrivateKey.generate()
    let password = SecretBytes(text: "pw")
    let eip2335 = try JSON(KeystoreWriter.eip2335(.bn254(bn254), password: password, cost: .light))
    #expect(try eip2335.integer("version") == 4)
    #expect(try eip2335.string("curveType") == "bn254")
    #expect(try eip2335.string("path") == "m/1/0/0")
    #expect(try eip2335.bytes("pubkey") == bn254.publicKey.bytes)
    #expect(try !eip2335.string("pubkey").hasPrefix("0x"))
    #expect(try eip2335.string("uuid").count == 36)
    let kdf = try eip2335.member("crypto").member("kdf")
    #expect(try kdf.string("function") == "scrypt")
    #expect(try kdf.string("message") == "")
    #expect(try kdf.member("params").integer("n") == 4096)

    let ecdsa = try ECDSAPrivateKey.generate()
    let web3 = try JSON(KeystoreWriter.web3(.ecdsa(ecdsa), password: password, cost: .light))
    #expect(try web3.integer("version") == 3)
    #expect(try web3.bytes("address") == ecdsa.address.bytes)
    #expect(try web3.string("address").count == 40)
    #expect(try web3.member("crypto").string("cipher") == "aes-128-ctr")
    #expect(web3["publicKey"] == nil)
  }

  @Test func noTwoFilesShareSaltOrCounter() throws {
    let key = try SigningKey.generate(.ecdsa)
    let password = SecretBytes(text: "pw")
    let files = try (0..<2).map { _ in try JSON(Self.write(key, .web3, password)).member("crypto") }
    #expect(try files[0].member("kdfparams").string("salt") != files[1].member("kdfparams").string("salt"))
    #expect(try files[0].member("cipherparams").string("iv") != files[1].member("cipherparams").string("iv"))
  }

  static func write(_ key: SigningKey, _ format: Keystore.Format, _ password: SecretBytes) throws -> [UInt8] {
    format == .web3
      ? try KeystoreWriter.web3(key, password: password, cost: .light)
      : try KeystoreWriter.eip2335(key, password: password, cost: .light)
  }
}

/// Reads JSON text into a value that tests can change.
func JSON(_ text: [UInt8]) throws -> JSONValue {
  try JSONDecoder().decode(JSONValue.self, from: Data(text))
}
