import PonosCore
import PonosTesting
import Testing

@testable import PonosCrypto

/// No way of printing a key, a password or an error shows a secret.
@Suite struct SecretHygieneTests {
  private static let secret = "a5c3f1e7d9b2846035c1fedcba98765401234567890abcdef13579bdf02468ac"

  @Test func secretBytesNeverPrint() throws {
    let bytes = try TestKeys.secret(Self.secret)
    expectSilence(bytes)
    expectSilence(["password": bytes])
    expectSilence(Optional(bytes) as Any)
    expectSilence(SecretBytes(text: Self.secret))
  }

  @Test func keysNeverPrintTheirScalar() throws {
    expectSilence(try TestKeys.ecdsa(Self.secret))
    expectSilence(try TestKeys.bn254(Self.secret))
    expectSilence(try BLS12381PrivateKey(hex: SecretBytes(text: Self.secret)))
    for curve in SignatureCurve.allCases {
      let key = try SigningKey(curve: curve, hex: SecretBytes(text: Self.secret))
      expectSilence(key)
      expectSilence([key])
    }
  }

  @Test func errorsNeverQuoteSecrets() throws {
    let texts = [Self.secret + "zz", Self.secret + "0", Self.secret + "00"]
    for text in texts {
      do {
        _ = try TestKeys.ecdsa(text)
        Issue.record("accepted")
      } catch {
        expectSilence(error)
      }
    }
    let json = try KeystoreTests.write(.ecdsa(TestKeys.ecdsa(Self.secret)), .web3, SecretBytes(text: "pass"))
    do {
      _ = try SigningKey(curve: .ecdsa, keystore: json, password: SecretBytes(text: Self.secret))
      Issue.record("accepted")
    } catch {
      #expect(error == .wrongPassword)
      expectSilence(error)
    }
  }

  @Test func keystoresDoNotContainTheSecret() throws {
    for curve in SignatureCurve.allCases {
      let key = try SigningKey(curve: curve, hex: SecretBytes(text: Self.secret))
      for format in [Keystore.Format.eip2335, .web3] {
        let json = try KeystoreTests.write(key, format, SecretBytes(text: "pw"))
        #expect(!String(decoding: json, as: UTF8.self).contains(Self.secret.prefix(8)))
      }
    }
  }

  @Test func equalityComparesContents() throws {
    #expect(SecretBytes(copying: [1, 2, 3]) == SecretBytes(copying: [1, 2, 3]))
    #expect(SecretBytes(copying: [1, 2, 3]) != SecretBytes(copying: [1, 2, 4]))
    #expect(SecretBytes(copying: [1, 2, 3]) != SecretBytes(copying: [1, 2]))
    #expect(SecretBytes(copying: []) == SecretBytes(text: ""))
  }

  /// A failing fill leaves nothing behind and hands its error on.
  @Test func failingFillsThrow() {
    expectError(KeyError.self, where: { $0 == .malformedHex }) {
      _ = try SecretBytes(count: 8) { _ throws(KeyError) in throw .malformedHex }
    }
  }

  /// Prints `value` in every way the language has and looks for the secret: as hex digits, as bytes in decimal, as text.
  private func expectSilence(_ value: Any, sourceLocation: SourceLocation = #_sourceLocation) {
    var texts = ["\(value)", String(describing: value), String(reflecting: value)]
    var dumped = ""
    dump(value, to: &dumped)
    texts.append(dumped)
    var reflected: [Any] = [value]
    var depth = 0
    while !reflected.isEmpty, depth < 6 {
      texts += reflected.map { String(reflecting: $0) }
      reflected = reflected.flatMap { Mirror(reflecting: $0).children.map(\.value) }
      depth += 1
    }
    let bytes = Hex.decode(Self.secret)!
    let decimal = bytes.prefix(4).map(String.init).joined(separator: ", ")
    let forms = [String(Self.secret.prefix(12)), Self.secret.prefix(12).uppercased(), decimal]
    for text in texts {
      for form in forms { #expect(!text.contains(form), "a secret is printed", sourceLocation: sourceLocation) }
    }
  }
}
