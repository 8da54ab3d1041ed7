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
  ///   - serverName: name the server's certificate must be made out to; nil for the host that is connected to.
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
    return try NIOSSLClientHandler(context: context, serverHostname: isAddress || name.isEmpty ? nil : name)
  }
}
