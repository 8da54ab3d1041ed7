import NIOCore
import NIOSSL

/// The servers a client believes and, for mutual TLS, the identity it proves.
package struct ClientTLS: Sendable {
  private let context: NIOSSLContext
  /// Name the server's certificate must be made out to; nil for the host that is connected to.
  private let serverName: String?

  /// - Parameters:
  ///   - roots: certificates a server's must lead to; nil for those of the system.
  ///   - certificateChain: the client's own certificate and those that lead to its root, for mutual TLS.
  ///   - privateKey: of the client's own certificate.
  ///   - serverName: host name the server's certificate must be made out to; nil for the host that is connected to. For an address,
  ///     connect to that address.
  package init(
    roots: PEMSource? = nil, certificateChain: PEMSource? = nil, privateKey: PEMSource? = nil, serverName: String? = nil
  ) throws {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.applicationProtocols = ["h2"]
    configuration.minimumTLSVersion = .tlsv12
    if let roots { configuration.trustRoots = .certificates(try roots.certificates()) }
    if let certificateChain { configuration.certificateChain = try certificateChain.certificates().map { .certificate($0) } }
    if let privateKey { configuration.privateKey = .privateKey(try privateKey.privateKey()) }
    context = try NIOSSLContext(configuration: configuration)
    self.serverName = serverName
  }

  /// A handler for a connection to `host`; IP addresses are not sent as server names, which TLS does not allow.
  func makeHandler(host: String) throws -> NIOSSLClientHandler {
    let name = serverName ?? host
    let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
    guard !isAddress, !name.isEmpty else { return try NIOSSLClientHandler(context: context, serverHostname: nil) }
    // swift-nio-ssl is also content with a certificate for the address that the name led to, which is for whoever answers there.
    return try NIOSSLClientHandler._makeSSLClientHandler(context: context, serverHostname: name) { certificate, channel in
      channel.eventLoop.makeCompletedFuture {
        guard certificate.isMadeOut(to: name) else { throw NIOSSLExtraError.failedToValidateHostname }
      }
    }
  }
}

extension NIOSSLCertificate {
  /// Whether the certificate lists the host `name`. One that lists nothing at all is left to swift-nio-ssl, which compares its common
  /// name.
  fileprivate func isMadeOut(to name: String) -> Bool {
    let alternatives = Array(_subjectAlternativeNames())
    return alternatives.isEmpty
      || alternatives.contains {
        $0.nameType == .dnsName && Self.host(name, matches: String(decoding: $0.contents, as: UTF8.self))
      }
  }

  /// RFC 9525 section 6.3: the whole name, or all of it but the first label, for which `*` may stand.
  private static func host(_ name: String, matches pattern: String) -> Bool {
    let (asked, listed) = (labels(name), labels(pattern))
    guard listed.first == "*", listed.count > 1 else { return asked == listed }
    return asked.dropFirst() == listed.dropFirst()
  }

  private static func labels(_ name: String) -> [Substring] {
    let rooted = name.lowercased()
    return (rooted.hasSuffix(".") ? rooted.dropLast() : rooted[...]).split(separator: ".", omittingEmptySubsequences: false)
  }
}
