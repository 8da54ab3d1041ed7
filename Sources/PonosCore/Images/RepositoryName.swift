/// The shape of a repository's name: an optional registry host with a port, then path components in lower case, for example
/// `ghcr.io/acme/performer`. The grammar is that of the OCI distribution specification.
package enum RepositoryName {
  /// Bytes a name may have, host included. The specification advises clients to keep to 255.
  package static let maxBytes = 255

  /// Whether `text` is such a name. Looks at each byte once, so the time it takes grows with the length and nothing else.
  package static func isValid(_ text: String) -> Bool {
    guard !text.isEmpty, text.utf8.count <= maxBytes else { return false }
    let components = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard components.dropFirst().allSatisfy(isComponent) else { return false }
    return isComponent(components[0]) || (components.count > 1 && isHost(components[0]))
  }

  /// Letters in lower case and digits, with `.`, `_` and `-` between them.
  private static func isComponent(_ bytes: Substring.UTF8View) -> Bool {
    guard let first = bytes.first, let last = bytes.last, isLowerAlphanumeric(first), isLowerAlphanumeric(last) else { return false }
    return bytes.allSatisfy { isLowerAlphanumeric($0) || "._-".utf8.contains($0) }
  }

  /// Letters, digits, `.` and `-`, then perhaps a colon and a port.
  private static func isHost(_ bytes: Substring.UTF8View) -> Bool {
    let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count <= 2, !parts[0].isEmpty, parts[0].allSatisfy(isHostByte) else { return false }
    return parts.count == 1 || (!parts[1].isEmpty && parts[1].allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    isLowerAlphanumeric(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || ".-".utf8.contains(byte)
  }

  private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
