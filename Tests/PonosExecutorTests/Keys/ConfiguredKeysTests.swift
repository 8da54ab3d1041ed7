import Foundation
import Glibc
import PonosCore
import PonosCrypto
import PonosTesting
import Testing

@testable import PonosConfiguration
@testable import PonosExecutor

/// Loading the operator's keys from where the configuration says they are.
@Suite struct ConfiguredKeysTests {
  private func identity(ecdsa: KeySource? = nil, bn254: KeySource? = nil) throws -> OperatorIdentity {
    OperatorIdentity(
      address: try #require(EthereumAddress(hex: "0x1111111111111111111111111111111111111111")), ecdsaKey: ecdsa,
      bn254Key: bn254)
  }

  private func errors(_ identity: OperatorIdentity) -> [KeyLoadError] {
    do {
      _ = try KeyRing(identity)
      return []
    } catch {
      return error.errors
    }
  }

  private let password = SecretBytes(text: "pw")

  private func withFile(_ content: String, _ body: (String) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("key.json")
    try Data(content.utf8).write(to: URL(filePath: path))
    try body(path)
  }

  @Test func opensWhatIsThere() throws {
    let json = try KeystoreWriter.eip2335(TestKeys.executor(.bn254), password: password, cost: .light)
    try withFile(String(decoding: json, as: UTF8.self)) { path in
      let keys = try KeyRing(
        identity(
          ecdsa: .hex(SecretBytes(text: TestKeys.executorHex(.ecdsa))), bn254: .keystoreFile(path: path, password: password)))
      #expect(keys.curves == [.ecdsa, .bn254])
      #expect(keys[.bn254]?.verificationKey == TestKeys.executor(.bn254).verificationKey)
    }
  }

  @Test func keysAreOpenedSideBySide() async throws {
    let json = try KeystoreWriter.eip2335(TestKeys.executor(.bn254), password: password, cost: .light)
    let text = KeySource.keystoreText(SecretBytes(copying: json), password: password)
    let both = try identity(ecdsa: .hex(SecretBytes(text: TestKeys.executorHex(.ecdsa))), bn254: text)
    #expect(both.curves == [.ecdsa, .bn254])
    #expect(try await KeyRing.load(both).publicDescriptions == KeyRing(both).publicDescriptions)
    #expect(try await KeyRing.load(try identity(bn254: text)).curves == [.bn254])
    let broken = KeySource.keystoreFile(path: "/nonexistent/key.json", password: password)
    let unusable = try identity(ecdsa: broken, bn254: broken)
    do throws(KeyLoadErrors) {
      _ = try await KeyRing.load(unusable)
      Issue.record("keys were made of nothing")
    } catch {
      #expect(error.errors.map(\.key) == ["operator.signingKeys.ecdsa", "operator.signingKeys.bls"])
    }
  }

  @Test func everyKeyThatCannotBeOpenedIsNamed() throws {
    let json = try KeystoreWriter.eip2335(TestKeys.executor(.bn254), password: password, cost: .light)
    let wrong = SecretBytes(text: "wrong-password-canary")
    let errors = errors(
      try identity(
        ecdsa: .keystoreFile(path: "/nonexistent/ecdsa.json", password: password),
        bn254: .keystoreText(SecretBytes(copying: json), password: wrong)))
    #expect(errors.map(\.code) == ["keystore_unreadable", "wrong_password"])
    #expect(errors.map(\.key) == ["operator.signingKeys.ecdsa", "operator.signingKeys.bls"])
    #expect(errors[0].message.contains("/nonexistent/ecdsa.json"))
    let findings = KeyLoadErrors(errors: errors).findings
    #expect(findings.allSatisfy { $0.severity == .error && $0.code == .unusableKey })
    #expect(!findings.map(\.description).joined().contains("canary"))
  }

  /// A pipe without a writer would be waited for, and a device read without end.
  @Test(.timeLimit(.minutes(1))) func onlyRegularFilesAreKeystores() throws {
    let pipe = FileManager.default.temporaryDirectory.appending(path: "ponos-pipe-\(UUID().uuidString)").path
    try #require(mkfifo(pipe, 0o600) == 0)
    defer { unlink(pipe) }
    for path in [pipe, "/dev/zero", "/tmp"] {
      let errors = errors(try identity(ecdsa: .keystoreFile(path: path, password: password)))
      #expect(errors.map(\.code) == ["keystore_unreadable"], "\(path)")
    }
  }

  @Test func keystoresAreReadWithABound() throws {
    try withFile(String(repeating: " ", count: Keystore.maximumSize + 1)) { path in
      let errors = errors(try identity(ecdsa: .keystoreFile(path: path, password: password)))
      #expect(errors.map(\.code) == ["keystore_unreadable"])
      #expect(errors.first?.message.contains("larger than") == true)
    }
  }
}
