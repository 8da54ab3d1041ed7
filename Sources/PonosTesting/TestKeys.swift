import PonosCore
import PonosCrypto

/// Keys that tests sign with. They are public, so they protect nothing: never use them for anything else.
package enum TestKeys {
  /// The executor's own key of each curve.
  package static func executor(_ curve: SignatureCurve) -> SigningKey {
    key(curve, byte: curve == .ecdsa ? 0x11 : 0x12)
  }

  /// The key of a registered aggregator.
  package static func aggregator(_ curve: SignatureCurve) -> SigningKey {
    key(curve, byte: curve == .ecdsa ? 0x13 : 0x14)
  }

  /// A key that nobody registered.
  package static func stranger(_ curve: SignatureCurve) -> SigningKey {
    key(curve, byte: curve == .ecdsa ? 0x15 : 0x16)
  }

  /// The hex digits of the executor's key, for configuration files.
  package static func executorHex(_ curve: SignatureCurve) -> String {
    hex(byte: curve == .ecdsa ? 0x11 : 0x12)
  }

  /// The hex digits of the registered aggregator's key, for key files.
  package static func aggregatorHex(_ curve: SignatureCurve) -> String {
    hex(byte: curve == .ecdsa ? 0x13 : 0x14)
  }

  private static func key(_ curve: SignatureCurve, byte: UInt8) -> SigningKey {
    do throws(KeyError) { return try SigningKey(curve: curve, hex: SecretBytes(text: hex(byte: byte))) } catch {
      preconditionFailure("\(byte) repeated 32 times is a valid key of both curves: \(error.message)")
    }
  }

  private static func hex(byte: UInt8) -> String {
    Hex.encodePrefixed(repeatElement(byte, count: 32))
  }
}
