import NIOSSL
import Synchronization

/// Certificates as PEM, from a file or from memory.
package enum PEMSource: Hashable, Sendable {
  case file(String)
  case bytes([UInt8])

  func certificates() throws -> [NIOSSLCertificate] {
    switch self {
    case .file(let path): try NIOSSLCertificate.fromPEMFile(path)
    case .bytes(let bytes): try NIOSSLCertificate.fromPEMBytes(bytes)
    }
  }

  func privateKey() throws -> NIOSSLPrivateKey {
    switch self {
    case .file(let path): try NIOSSLPrivateKey(file: path, format: .pem)
    case .bytes(let bytes): try NIOSSLPrivateKey(bytes: bytes, format: .pem)
    }
  }
}

/// The identity a server proves and the clients it believes; new connections use what was loaded last.
package final class ServerTLS: Sendable {
  /// What to load.
  package struct Sources: Hashable, Sendable {
    /// The server's certificate, then those that lead to its root.
    package var certificateChain: PEMSource
    package var privateKey: PEMSource
    /// Roots that client certificates must lead to; nil asks clients for none.
    package var clientRoots: PEMSource?

    package init(certificateChain: PEMSource, privateKey: PEMSource, clientRoots: PEMSource? = nil) {
      self.certificateChain = certificateChain
      self.privateKey = privateKey
      self.clientRoots = clientRoots
    }
  }

  private let current: Mutex<NIOSSLContext>

  /// Loads everything; throws if a file is missing or malformed, or key and certificate do not belong together.
  package init(_ sources: Sources) throws {
    current = Mutex(try Self.context(sources))
  }

  /// Loads everything again. Open connections go on; if loading fails, so do new ones with what was loaded before.
  package func reload(_ sources: Sources) throws {
    let fresh = try Self.context(sources)
    current.withLock { $0 = fresh }
  }

  func makeHandler() -> NIOSSLServerHandler {
    NIOSSLServerHandler(context: current.withLock { $0 })
  }

  private static func context(_ sources: Sources) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try sources.certificateChain.certificates().map { .certificate($0) },
      privateKey: .privateKey(try sources.privateKey.privateKey()))
    configuration.applicationProtocols = ["h2"]
    configuration.minimumTLSVersion = .tlsv12
    if let roots = sources.clientRoots {
      configuration.trustRoots = .certificates(try roots.certificates())
      configuration.certificateVerification = .noHostnameVerification
    }
    return try NIOSSLContext(configuration: configuration)
  }
}
