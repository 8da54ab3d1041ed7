/// Reads the texts of settings. Quotes make no difference, so booleans and numbers may have them.
enum ScalarText {
  static func boolean(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "yes", "on", "1", "t": true
    case "false", "no", "off", "0", "f": false
    default: nil
    }
  }

  static func integer(_ text: String) -> Int? {
    Int(text)
  }

  static func number(_ text: String) -> Double? {
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// `90s`, `1m30s`, `1.5h`, `500ms`: decimal numbers, each with its unit (`h`, `m`, `s`, `ms`, `us`, `ns`).
  static func duration(_ text: String) -> Duration? {
    var rest = Substring(text)
    var total = Duration.zero
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let amount = number(String(digits)), amount <= 1e9, let seconds = secondsPerUnit[String(unit)] else { return nil }
      total += .seconds(amount * seconds)
    }
    return total
  }

  private static let secondsPerUnit: [String: Double] = [
    "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9,
  ]

  /// `512Mi`, `1.5Gi`, `100M`, `4096`: bytes, with the binary units Ki, Mi, Gi, Ti or the decimal k, M, G, T, and an optional B.
  static func size(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    var unit = text.dropFirst(digits.count).drop { $0 == " " }
    if unit.last == "B" { unit = unit.dropLast() }
    guard let amount = number(String(digits)), let factor = bytesPerUnit[String(unit)] else { return nil }
    let bytes = amount * factor
    return bytes < 1e18 ? Int64(bytes) : nil
  }

  private static let bytesPerUnit: [String: Double] = [
    "": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 1024, "Mi": 1_048_576, "Gi": 1_073_741_824, "Ti": 1_099_511_627_776,
  ]

  /// `host:port`, the host being a name or an IPv4 address.
  static func endpoint(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port)
    else { return nil }
    let host = text[..<colon]
    let isHost =
      !host.isEmpty && host.utf8.count <= 253
      && host.utf8.allSatisfy {
        ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e
      }
    return isHost ? (String(host), port) : nil
  }

  /// Four decimal numbers from 0 to 255, separated by dots.
  static func isIPv4(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        part.count <= 3 && part.allSatisfy { $0.isASCII && $0.isNumber } && UInt8(part) != nil
      }
  }

  /// Host, optional port and path of a registry: lower case, without scheme, tag or digest.
  static func isRepository(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let first = parts.first, !text.contains("://"), text.utf8.count <= 255 else { return false }
    let isHost = parts.count > 1 && (first.contains(".") || first.contains(":") || first == "localhost")
    let host = first.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    if isHost, host.count == 2, UInt16(host[1]) == nil { return false }
    let names = isHost ? [host[0].lowercased()[...]] + parts.dropFirst() : parts
    return names.allSatisfy { name in
      !name.isEmpty && name.utf8.allSatisfy { isLowerCaseOrDigit($0) || "._-".utf8.contains($0) }
    }
  }

  static func isTag(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 128, !".-".utf8.contains(first) else { return false }
    return text.utf8.allSatisfy { isLowerCaseOrDigit($0 | 0x20) || "._-".utf8.contains($0) }
  }

  /// The name of a Docker network. Words that mean the host's network, no network or another container's are not names.
  static func isNetwork(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLowerCaseOrDigit(first | 0x20), !["host", "none"].contains(text.lowercased()) else {
      return false
    }
    return text.utf8.allSatisfy { isLowerCaseOrDigit($0 | 0x20) || "._-".utf8.contains($0) }
  }

  static func isDigest(_ text: String) -> Bool {
    guard text.hasPrefix("sha256:") else { return false }
    let digits = text.utf8.dropFirst(7)
    return digits.count == 64
      && digits.allSatisfy { ("0"..."9").contains(Character(Unicode.Scalar($0))) || (0x61...0x66).contains($0) }
  }

  /// Whether a URL is one that HTTP requests can be sent to.
  static func isHTTP(_ url: String) -> Bool {
    let scheme = url.prefix { $0 != ":" }.lowercased()
    return scheme == "http" || scheme == "https"
  }

  /// The parts of a list of URLs, which cannot contain its separators.
  static func urls(_ text: String) -> [String] {
    text.split { $0.isWhitespace || $0 == "," }.map(String.init)
  }

  /// `http`, `https`, `ws` or `wss`, and something behind the `://`.
  static func isURL(_ text: String) -> Bool {
    guard let colon = text.firstRange(of: "://") else { return false }
    let scheme = text[..<colon.lowerBound].lowercased()
    let host = text[colon.upperBound...].prefix { $0 != "/" && $0 != "?" }
    return ["http", "https", "ws", "wss"].contains(scheme) && !host.isEmpty && !text.contains(where: \.isWhitespace)
  }

  /// A slash and the characters that may follow it unescaped; a query is allowed.
  static func isURLPath(_ text: String) -> Bool {
    guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= 1024 else { return false }
    return text.utf8.allSatisfy { isLowerCaseOrDigit($0 | 0x20) || "/._-~%!$&'()*+,;=:@?".utf8.contains($0) }
  }

  private static func isLowerCaseOrDigit(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
  }

  /// The parts of a list of names, none of which contains a separator.
  static func names(_ text: String) -> [String] {
    text.split { $0.isWhitespace || $0 == "," }.map(String.init)
  }
}
