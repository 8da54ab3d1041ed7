/// The other end of a connection, as gRPC writes it: `ipv4:127.0.0.1:9090`, `ipv6:[::1]:9090`, `unix:/run/ponos.sock`.
package struct PeerAddress: Sendable, Equatable {
  private let text: String

  package init(_ text: String) {
    self.text = text
  }

  /// Whether the peer is a process of this host that came over the loopback interface or a unix socket. A container on a bridge of the
  /// engine is not: it has an address of its own.
  package var isLocal: Bool {
    if text.hasPrefix("unix:") { return true }
    guard let host else { return false }
    if host == "::1" { return true }
    let address = host.hasPrefix("::ffff:") ? host.dropFirst("::ffff:".count) : host[...]
    let parts = address.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// The address without its port; nil for a unix socket and for what has no address.
  package var host: String? {
    if text.hasPrefix("ipv4:") { return String(text.dropFirst("ipv4:".count).prefix { $0 != ":" }) }
    guard text.hasPrefix("ipv6:[") else { return nil }
    return String(text.dropFirst("ipv6:[".count).prefix { $0 != "]" }).lowercased()
  }
}
