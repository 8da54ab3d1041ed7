import Foundation
import GRPCCore
import Testing

@testable import PonosTransport

/// Other implementations of gRPC against ours, each as client and as server, in plain text and over mutual TLS.
@Suite("Interoperability", .serialized)
struct InteropTests {
  enum Security: String, CaseIterable, Sendable {
    case plaintext
    case mutualTLS
  }

  @Test("their client, our server", arguments: InteropProgram.available, Security.allCases)
  func theirClient(program: InteropProgram, security: Security) async throws {
    let certificates = try TestCertificates()
    defer { certificates.remove() }
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    settings.compressesResponses = true
    settings.maxRequestBytes = 4 << 20
    if security == .mutualTLS { settings.security = try certificates.serverTLS() }
    let transport = EventLoopServerTransport(settings)
    try await withGRPCServer(transport: transport, services: [EchoService()]) { _ in
      let port = try await transport.boundPort()
      let arguments = security == .mutualTLS ? certificates.arguments(for: "client") : []
      let (code, text) = try await program.client(port: port, arguments).output()
      #expect(code == 0, "\(text)")
      #expect(!text.contains("FAIL"), "\(text)")
    }
  }

  @Test("our client, their server", arguments: InteropProgram.available, Security.allCases)
  func theirServer(program: InteropProgram, security: Security) async throws {
    let certificates = try TestCertificates()
    defer { certificates.remove() }
    let arguments = security == .mutualTLS ? certificates.arguments(for: "server") : []
    try await program.server(arguments).whileServing { port in
      var settings = ClientTransportSettings(host: "127.0.0.1", port: port)
      if security == .mutualTLS { settings.security = try certificates.clientTLS() }
      try await withGRPCClient(transport: EventLoopClientTransport(settings)) { client in
        let calls = EchoClient(client: client)
        try await EchoCases.unary(calls)
        try await EchoCases.clientStreaming(calls)
        try await EchoCases.serverStreaming(calls)
        try await EchoCases.pingPong(calls)
        try await EchoCases.emptyStream(calls)
        try await EchoCases.metadata(calls)
        try await EchoCases.statuses(calls)
        try await EchoCases.unimplemented(calls)
        try await EchoCases.deadline(calls)
        try await EchoCases.leaveAfterFirstMessage(calls)
        try await EchoCases.gzip(calls)
        try await EchoCases.concurrency(calls)
      }
    }
  }
}

extension TestCertificates {
  /// Flags of the programs of Tests/Interop.
  func arguments(for name: String) -> [String] {
    ["--ca", path("ca.pem"), "--certificate", path("\(name).pem"), "--key", path("\(name).key")]
  }

  func sources(_ name: String = "server") -> ServerTLS.Sources {
    ServerTLS.Sources(
      certificateChain: .file(path("\(name).pem")), privateKey: .file(path("\(name).key")), clientRoots: .file(path("ca.pem")))
  }

  func serverTLS() throws -> ServerTLS { try ServerTLS(sources()) }

  func clientTLS(proving: Bool = true) throws -> ClientTLS {
    try ClientTLS(
      roots: .file(path("ca.pem")), certificateChain: proving ? .file(path("client.pem")) : nil,
      privateKey: proving ? .file(path("client.key")) : nil, serverName: "localhost")
  }
}
