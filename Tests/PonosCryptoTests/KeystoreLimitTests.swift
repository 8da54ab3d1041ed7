import Foundation
import PonosCore
import PonosCrypto
import PonosTesting
import Testing

/// What is refused before any work is done on the password.
@Suite struct KeystoreLimitTests {
  struct Change: Sendable, CustomStringConvertible {
    let path: String
    let value: JSONValue?
    let code: String
    let field: String
    var description: String { "\(path) = \(String(describing: value))" }

    init(_ path: String, _ value: JSONValue?, _ code: String, field: String? = nil) {
      self.path = path
      self.value = value
      self.code = code
      self.field = field ?? path
    }
  }

  @Test(arguments: [
    Change("crypto.kdf.params.dklen", .integer(16), "keystore_limits"),
    Change("crypto.kdf.params.dklen", .integer(64), "keystore_limits"),
    Change("crypto.kdf.params.salt", .string("00112233"), "keystore_limits"),
    Change("crypto.kdf.params.salt", .string(String(repeating: "00", count: 65)), "keystore_limits"),
    Change("crypto.kdf.params.salt", .string("xyz"), "keystore_format"),
    Change("crypto.kdf.params.n", .integer(512), "keystore_limits"),
    Change("crypto.kdf.params.n", .integer(2_097_152), "keystore_limits"),
    Change("crypto.kdf.params.n", .integer(5000), "keystore_limits"),
    Change("crypto.kdf.params.n", .integer(0), "keystore_limits"),
    Change("crypto.kdf.params.n", .number(4096.5), "keystore_format"),
    Change("crypto.kdf.params.n", .string("4096"), "keystore_format"),
    Change("crypto.kdf.params.n", nil, "keystore_format"),
    Change("crypto.kdf.params.r", .integer(0), "keystore_limits"),
    Change("crypto.kdf.params.r", .integer(33), "keystore_limits"),
    Change("crypto.kdf.params.r", nil, "keystore_format"),
    Change("crypto.kdf.params.p", .integer(17), "keystore_limits"),
    Change("crypto.kdf.params.p", .integer(UInt64.max), "keystore_format"),
    Change("crypto.kdf.function", .string("argon2"), "keystore_unsupported", field: "crypto.kdf.params"),
    Change("crypto.kdf.function", .string(""), "keystore_unsupported", field: "crypto.kdf.params"),
    Change("crypto.cipher.function", .string("aes-256-ctr"), "keystore_unsupported"),
    Change("crypto.cipher.function", nil, "keystore_format"),
    Change("crypto.cipher.params.iv", .string("00"), "keystore_format"),
    Change("crypto.cipher.message", .string(""), "keystore_format"),
    Change("crypto.cipher.message", .string("0"), "keystore_format"),
    Change("crypto.checksum.function", .string("sha512"), "keystore_unsupported"),
    Change("crypto.checksum.message", .string("00"), "keystore_format"),
    Change("crypto", nil, "keystore_format"),
    Change("crypto", .array([]), "keystore_format"),
    Change("crypto.kdf", nil, "keystore_format"),
    Change("version", .integer(5), "keystore_unsupported"),
    Change("version", .string("4"), "keystore_format"),
    Change("pubkey", .string("zz"), "keystore_format"),
    Change("address", .string("0011"), "keystore_format"),
  ])
  func refusesEIP2335(_ change: Change) throws {
    try expectRefusal(of: change, in: KeystoreTests.write(.generate(.bn254), .eip2335, SecretBytes(text: "")))
  }

  @Test(arguments: [
    Change("crypto.kdf", .string("bcrypt"), "keystore_unsupported", field: "crypto.kdfparams"),
    Change("crypto.kdfparams.n", .integer(1 << 30), "keystore_limits"),
    Change("crypto.cipher", .string("aes-128-cbc"), "keystore_unsupported"),
    Change("crypto.mac", .string("1234"), "keystore_format"),
    Change("crypto.cipherparams", nil, "keystore_format"),
    Change("version", .integer(1), "keystore_unsupported"),
    Change("version", nil, "keystore_format"),
  ])
  func refusesWeb3(_ change: Change) throws {
    try expectRefusal(of: change, in: KeystoreTests.write(.generate(.ecdsa), .web3, SecretBytes(text: "")))
  }

  @Test(arguments: [
    Change("crypto.kdf.params.c", .integer(999), "keystore_limits"),
    Change("crypto.kdf.params.c", .integer(10_000_001), "keystore_limits"),
    Change("crypto.kdf.params.c", nil, "keystore_format"),
    Change("crypto.kdf.params.prf", .string("hmac-sha1"), "keystore_unsupported"),
  ])
  func refusesPBKDF2(_ change: Change) throws {
    let vector = try #require(
      try Vectors.of("keystore_eip2335").first { $0.inputs["keystore"]?["crypto"]?["kdf"]?["function"] == .string("pbkdf2") })
    try expectRefusal(of: change, in: vector.inputs.member("keystore").text)
  }

  /// n and r within their own ranges, but together more than 1 GiB.
  @Test func refusesScryptThatTakesTooMuchMemory() throws {
    let json = try JSON(KeystoreTests.write(.generate(.bn254), .eip2335, SecretBytes(text: "")))
      .replacing("crypto.kdf.params.n", with: .integer(1_048_576))
      .replacing("crypto.kdf.params.r", with: .integer(16)).text
    expectError(KeystoreError.self, where: { $0.code == "keystore_limits" }) { _ = try Keystore(json: json) }
  }

  @Test func refusesWhatIsNoJSONObject() {
    for text in ["", "{", "[]", "null", "\"text\"", "42", "\u{feff}{}}", String(repeating: "[", count: 100_000)] {
      expectError(KeystoreError.self, where: { $0 == .notJSON }) { _ = try Keystore(json: Array(text.utf8)) }
    }
  }

  @Test func refusesLargeFilesUnread() {
    let json = [UInt8](repeating: UInt8(ascii: " "), count: Keystore.maximumSize + 1)
    expectError(KeystoreError.self, where: { $0 == .tooLarge(byteCount: json.count, maximum: Keystore.maximumSize) }) {
      _ = try Keystore(json: json)
    }
  }

  /// Values from the file are cut and cleaned before they stand in a message.
  @Test func quotesLittleOfTheFile() throws {
    let long = "\u{1b}[31m" + String(repeating: "x", count: 1000)
    let json = try JSON(KeystoreTests.write(.generate(.bn254), .eip2335, SecretBytes(text: "")))
      .replacing("crypto.cipher.function", with: .string(long)).text
    expectError(KeystoreError.self, where: { $0.message.count < 300 && !$0.message.contains("\u{1b}") }) {
      _ = try Keystore(json: json)
    }
  }

  private func expectRefusal(of change: Change, in json: [UInt8]) throws {
    let changed = try JSON(json).replacing(change.path, with: change.value).text
    expectError(KeystoreError.self, where: { $0.code == change.code && $0.message.contains(change.field) }) {
      _ = try Keystore(json: changed)
    }
  }
}
