import Foundation
import GRPCCore
import NIOSSL
import Testing

@testable import PonosTransport

/// What a stranger's TLS may be, shown with the `openssl` program, and what a handler learns of its caller.
@Suite("TLS", .serialized)
struct TLSTests {
  /// What `openssl s_client` says of a handshake with `flags`; it ends when the server hangs up, or at once after the handshake.
  static func handshake(port: Int, _ certificates: TestCertificates, _ flags: [String], waits: Bool = false) async throws
    -> String
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    // The lowest level of security, so that it is the server who refuses.
    process.arguments =
      ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificates.path("ca.pem"), "-cipher", "DEFAULT@SECLEVEL=0"]
      + flags
    let input = Pipe()
    process.standardInput = input
    if !waits { try input.fileHandleForWriting.close() }
    return try await process.output().text
  }

  @Test("TLS 1.2 and 1.3 with ALPN for HTTP/2 are taken, TLS 1.1 is not")
  func tls12And1() async throws {
    let certificates = try TestCertificates.shared()
    var settings = ConnectionTests.tcp
    settings.security = try certificates.serverTLS(.serverTLS)
    try await ConnectionTests.serve(settings) { _, client in
      for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let text = try await Self.handshake(port: client.port, certificates, [flag, "-alpn", "h2"])
        #expect(text.contains("New, \(version), Cipher is") && text.contains("ALPN protocol: h2"), "\(text)")
      }
      let old = try await Self.handshake(port: client.port, certificates, ["-tls1_1", "-alpn", "h2"])
      #expect(old.contains("alert protocol version"), "\(old)")
    }
  }

  @Test("a client that does not ask for HTTP/2 is hung up on", arguments: [[], ["-alpn", "http/1.1"]])
  func clientThatDoesNotAskForHTTP2IsHungUpOn(flags: [String]) async throws {
    let certificates = try TestCertificates.shared()
    var settings = ConnectionTests.tcp
    settings.security = try certificates.serverTLS(.serverTLS)
    try await ConnectionTests.serve(settings) { _, client in
      // It would wait for its input otherwise.
      let text = try await Self.handshake(port: client.port, certificates, flags, waits: true)
      #expect(!text.contains("ALPN protocol: h2"), "\(text)")
    }
  }

  /// The certificate "address" lists the address that is connected to, which is no name.
  @Test(
    "a server with a certificate for other names than the one that was asked for is not believed",
    arguments: [
      ("other", ["localhost", "a.other.example"], ["other.example", "OTHER.example."]),
      ("address", ["localhost", "other.example", "a.b.other.example"], ["a.other.example", "127.0.0.1"]),
    ])
  func serverWithCertificateForOtherNamesThan(certificate: String, wrong: [String], right: [String]) async throws {
    let certificates = try TestCertificates.shared()
    var settings = ConnectionTests.tcp
    settings.security = try ServerTLS(certificates.sources(certificate, asksClients: false))
    try await ConnectionTests.serve(settings) { _, client in
      for name in wrong {
        var client = client
        client.security = try certificates.clientTLS(proving: false, serverName: name)
        try await ConnectionTests.connect(client) { calls in
          let error = await #expect(throws: RPCError.self, "\(name)") { try await calls.unary([1]) }
          #expect(error?.code == .unavailable)
        }
      }
      for name in right {
        var client = client
        client.security = try certificates.clientTLS(proving: false, serverName: name)
        try await ConnectionTests.connect(client) { try await EchoCases.stillWorks($0) }
      }
    }
  }

  @Test("a handler sees the certificate that its caller has proved, and none without mutual TLS")
  func handlerSeesCertificateThatItsCallerHasProved() async throws {
    let certificates = try TestCertificates.shared()
    let proved = try NIOSSLCertificate.fromPEMFile(certificates.path("client.pem"))[0].toDERBytes()
    for (security, expected) in [(InteropTests.Security.mutualTLS, proved), (.serverTLS, [])] {
      var settings = ConnectionTests.tcp
      settings.security = try certificates.serverTLS(security)
      try await ConnectionTests.serve(settings) { _, client in
        var client = client
        client.security = try certificates.clientTLS(security)
        try await ConnectionTests.connect(client) { calls in
          let caller = try await calls.who()
          #expect(caller.certificate == expected)
        }
      }
    }
  }
}
