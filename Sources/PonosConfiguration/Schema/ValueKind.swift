import PonosCore

/// What a setting may hold.
package enum ValueKind: Sendable, Equatable {
  /// Keys of its own.
  case group
  /// Any number of groups.
  case list
  /// Anything; not looked at.
  case anything
  case boolean
  case integer(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  case duration(ClosedRange<Duration>)
  /// Bytes.
  case size(ClosedRange<Int64>)
  case text
  /// Path of a file or directory; relative ones start at the working directory.
  case path
  /// One of these, in any case.
  case choice([String])
  /// 20 bytes.
  case address
  /// 32 bytes in hex: a secp256k1 scalar.
  case ecdsaPrivateKey
  /// 1 to 64 bytes in hex: an integer that is reduced to a BN254 scalar. Tools leave out leading zeros.
  case bn254PrivateKey
  /// 128 bytes in hex.
  case bn254PublicKey
  /// Bytes in hex, as many as the range says.
  case hexBytes(ClosedRange<Int>)
  case url
  /// Any number of them from 1; written as a list, or with spaces or commas between them.
  case urls
  /// Host name or IPv4 address, and port.
  case endpoint
  /// The path of a URL, from its slash on.
  case urlPath
  case ipv4
  case repository
  case tag
  case digest
  case variableName
  /// Any number of names from 1; written as a list, or with spaces or commas between them.
  case names
  /// A network of the engine that performers can join; empty for none.
  case network

  /// What the reference calls it.
  package var name: String {
    switch self {
    case .group: "group"
    case .list: "list of groups"
    case .anything: "any"
    case .boolean: "boolean"
    case .integer(let range):
      range.upperBound == .max ? "integer from \(range.lowerBound)" : "integer, \(range.lowerBound)–\(range.upperBound)"
    case .number(let range): "number, \(Self.plain(range.lowerBound))–\(Self.plain(range.upperBound))"
    case .duration: "duration"
    case .size: "size"
    case .text: "text"
    case .path: "path"
    case .choice(let choices): choices.map { "`\($0)`" }.joined(separator: " or ")
    case .address: "address"
    case .ecdsaPrivateKey: "hex, 32 bytes"
    case .bn254PrivateKey: "hex, 1–64 bytes"
    case .bn254PublicKey: "hex, 128 bytes"
    case .hexBytes(let range): "hex, \(range.lowerBound)–\(range.upperBound) bytes"
    case .url: "URL"
    case .urls: "list of URLs"
    case .endpoint: "host:port"
    case .urlPath: "path of a URL"
    case .ipv4: "IPv4 address"
    case .repository: "image repository"
    case .tag: "image tag"
    case .digest: "image digest"
    case .variableName: "variable name"
    case .names: "list of names"
    case .network: "network name"
    }
  }

  /// What is wrong with `text` and how it is written instead; nil when it is fine. Neither text quotes the value.
  func fault(in text: String) -> (wrong: String, cure: String)? {
    switch self {
    case .group: return ("is not a group of keys", "indent its keys below it")
    case .list: return ("is not a list", "start each entry with '- '")
    case .anything, .text: return nil
    case .boolean:
      return ScalarText.boolean(text) == nil ? ("is neither true nor false", "write true or false") : nil
    case .integer(let range): return Self.integerFault(in: text, range)
    case .number(let range):
      guard let value = ScalarText.number(text), range.contains(value) else {
        let bounds = "\(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))"
        return ("is not a number from \(bounds)", "write one such as 0.5")
      }
      return nil
    case .duration(let range): return Self.durationFault(in: text, range)
    case .size(let range): return Self.sizeFault(in: text, range)
    case .path: return text.isEmpty ? ("is empty", "give the path of a file") : nil
    case .choice(let choices):
      guard !choices.contains(where: { $0.lowercased() == text.lowercased() }) else { return nil }
      return ("is not known here", "write \(choices.joined(separator: " or "))")
    case .address:
      return EthereumAddress(hex: text) == nil ? ("is not an address", "write 0x and 40 hex digits") : nil
    case .ecdsaPrivateKey:
      return Hex.decode(text)?.count == 32 ? nil : ("is not a private key", "write 64 hex digits, with or without 0x")
    case .bn254PrivateKey:
      let isKey = (1...64).contains(Hex.decode(text)?.count ?? 0)
      return isKey ? nil : ("is not a private key", "write an even number of hex digits, 128 at most, with or without 0x")
    case .bn254PublicKey:
      let isKey = Hex.decode(text)?.count == 128
      return isKey ? nil : ("is not a BN254 public key", "write 0x and 256 hex digits: the G2 point, imaginary parts first")
    case .hexBytes(let range):
      let isFine = range.contains(Hex.decode(text)?.count ?? -1)
      return isFine
        ? nil : ("is not \(range.lowerBound) to \(range.upperBound) bytes in hex", "write 0x and two digits for each byte")
    case .urlPath:
      return ScalarText.isURLPath(text) ? nil : ("is not the path of a URL", "write one that begins with a slash, such as /task")
    case .url: return ScalarText.isURL(text) ? nil : ("is not a URL", "write one such as https://rpc.example.org")
    case .urls:
      let urls = ScalarText.urls(text)
      return !urls.isEmpty && urls.allSatisfy(ScalarText.isURL)
        ? nil : ("is not a list of URLs", "write one or more such as https://rpc.example.org")
    case .endpoint:
      return ScalarText.endpoint(text) == nil
        ? ("is not a host and a port", "write them such as aggregator.example.org:9100") : nil
    case .ipv4:
      return ScalarText.isIPv4(text) ? nil : ("is not an IPv4 address", "write one such as 127.0.0.1 or 0.0.0.0")
    case .repository:
      return ScalarText.isRepository(text)
        ? nil
        : ("is not an image repository", "write it in lower case without scheme, tag and digest, such as ghcr.io/acme/performer")
    case .tag: return ScalarText.isTag(text) ? nil : ("is not an image tag", "write one such as v1.2.0")
    case .digest:
      return ScalarText.isDigest(text) ? nil : ("is not an image digest", "write sha256: and 64 lower-case hex digits")
    case .variableName:
      let isName = !text.isEmpty && !text.contains { $0 == "=" || $0 == "\0" || $0.isWhitespace }
      return isName ? nil : ("is not the name of a variable", "write a name without spaces and '='")
    case .names:
      let areNames = ScalarText.names(text).allSatisfy { !$0.contains("=") && !$0.contains("\0") }
      return areNames ? nil : ("is not a list of names", "write names without spaces and '='")
    case .network:
      return text.isEmpty || ScalarText.isNetwork(text)
        ? nil
        : (
          "is not the name of a network that performers can be kept in",
          "write the name of a bridge network; 'host', 'none' and 'container:…' would undo their isolation"
        )
    }
  }

  private static func integerFault(in text: String, _ range: ClosedRange<Int>) -> (wrong: String, cure: String)? {
    guard let value = ScalarText.integer(text) else {
      return text.contains("${")
        ? ("is a placeholder nobody has filled in", "replace it by a whole number")
        : ("is not a whole number", "write digits only")
    }
    guard !range.contains(value) else { return nil }
    let bounds = range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
    return ("is out of range", "write \(bounds)")
  }

  private static func durationFault(in text: String, _ range: ClosedRange<Duration>) -> (wrong: String, cure: String)? {
    guard let value = ScalarText.duration(text) else {
      let isBareNumber = ScalarText.number(text) != nil
      return (isBareNumber ? "has no unit" : "is not a duration", "write a number and h, m, s or ms, such as 90s or 1m30s")
    }
    guard !range.contains(value) else { return nil }
    return ("is out of range", "write \(range.lowerBound.formattedForOperators) to \(range.upperBound.formattedForOperators)")
  }

  private static func sizeFault(in text: String, _ range: ClosedRange<Int64>) -> (wrong: String, cure: String)? {
    guard let value = ScalarText.size(text) else {
      return ("is not a size", "write bytes, or a number and Ki, Mi, Gi, k, M or G, such as 512Mi")
    }
    guard !range.contains(value) else { return nil }
    return ("is out of range", "write \(Self.sizeText(range.lowerBound)) to \(Self.sizeText(range.upperBound))")
  }

  /// The number in decimal, without ".0" at the end.
  static func plain(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : String(value)
  }

  /// A size as the configuration writes it, in the largest unit that divides it: `512Mi`.
  static func sizeText(_ bytes: Int64) -> String {
    for (unit, factor) in [("Ti", Int64(1) << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)]
    where bytes >= factor && bytes.isMultiple(of: factor) {
      return "\(bytes / factor)\(unit)"
    }
    return "\(bytes)"
  }
}

extension Duration {
  /// As the configuration writes it, in the largest unit that divides it: `90s`, `1m`, `500ms`.
  package var formattedForOperators: String {
    let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    for (unit, factor) in [("h", Int64(3_600_000)), ("m", 60_000), ("s", 1000)]
    where milliseconds >= factor && milliseconds.isMultiple(of: factor) {
      return "\(milliseconds / factor)\(unit)"
    }
    return "\(milliseconds)ms"
  }
}
