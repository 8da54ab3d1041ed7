import Foundation

/// The two ways keystore formats turn a password into bytes.
enum KeystorePassword {
  /// EIP-2335: compatibility decomposition (NFKD), then without control characters, as UTF-8.
  static func normalized(_ password: SecretBytes) throws(KeystoreError) -> SecretBytes {
    let isASCII = password.withUnsafeBytes { $0.allSatisfy { $0 < 0x80 } }
    guard !isASCII else { return withoutControls(password) }
    let text: String? = password.withUnsafeBytes { String(validating: $0, as: UTF8.self) }
    guard let text else { throw .passwordNotText }
    // The library has no decomposition in place, so the text exists as an ordinary string for a moment.
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: text.decomposedStringWithCompatibilityMapping.unicodeScalars.filter { !isControl($0.value) })
    return SecretBytes(text: String(scalars))
  }

  /// ASCII is its own decomposition, so it needs no copy outside `SecretBytes`.
  private static func withoutControls(_ password: SecretBytes) -> SecretBytes {
    password.withUnsafeBytes { bytes in
      let kept = bytes.count { !isControl(UInt32($0)) }
      return SecretBytes(count: kept) { output in
        var position = 0
        for byte in bytes where !isControl(UInt32(byte)) {
          output[position] = byte
          position += 1
        }
      }
    }
  }

  /// C0, Delete and C1.
  private static func isControl(_ scalar: UInt32) -> Bool {
    scalar < 0x20 || (0x7f...0x9f).contains(scalar)
  }
}
