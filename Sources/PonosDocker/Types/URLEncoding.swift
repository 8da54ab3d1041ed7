/// Percent-encoding of path segments and query values (RFC 3986 section 2.1).
///
/// The transport's `PercentEncoding` is that of `grpc-message`, which escapes other bytes.
enum URLEncoding {
  /// `text` with every byte escaped that is neither unreserved nor one of `keeping`.
  static func encode(_ text: String, keeping: String = "") -> String {
    var result = ""
    let kept = Set(keeping.utf8)
    for byte in text.utf8 {
      if isUnreserved(byte) || kept.contains(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let hex = String(byte, radix: 16, uppercase: true)
        result += hex.count == 1 ? "%0\(hex)" : "%\(hex)"
      }
    }
    return result
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      true
    default: false
    }
  }
}
