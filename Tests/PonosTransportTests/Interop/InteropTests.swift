import Foundation
import GRPCCore
import Testing

@testable import PonosTransport

/// Other implementations of gRPC against ours, each as client and as server, in plain text and over mutual TLS.
@Suite("Interoperability", .serialized)
struct InteropTests {
  enum Security: String, CaseIterable, Sendable {
    case plaintext
    case serverTLS
    case mutualTLS
  }

  @Test("their client, our server", arguments: InteropProgram.available, Security.allCases)
  func theirClientOurServer(program: InteropProgram, security: Security) async throws {
    let certificates = try TestCertificates()
    defer { certificates.remove() }
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    settings.compressesResponses = true
    // What the peers send becomes much smaller than an eighth.
    settings.maxCompressionRatio = nil
    settings.maxRequestBytes = 4 << 20
    settings.security = try certificates.serverTLS(security)
    let transport = EventLoopServerTransport(settings)
    try await withGRPCServer(transport: transport, services: [EchoService()]) { _ in
      let port = try await transport.boundPort()
      let (code, text) = try await program.client(port: port, certificates.clientArguments(security)).output()
      #expect(code == 0, "\(text)")
      #expect(!text.contains("FAIL"), "\(text)")
    }
  }

  @Test("their client, our server that replaces its connections all the time", arguments: InteropProgram.available)
  func theirClientIsMoved(program: InteropProgram) async throws {
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    settings.maxRequestBytes = 4 << 20
    settings.maxAge = .milliseconds(300)
    settings.maxCompressionRatio = nil
    let transport = EventLoopServerTransport(settings)
    try await withGRPCServer(transport: transport, services: [EchoService()]) { _ in
      let (code, text) = try await program.client(port: try await transport.boundPort()).output()
      #expect(code == 0, "\(text)")
    }
  }

  @Test("a call of their client is answered although our server shuts down meanwhile", arguments: InteropProgram.available)
  func callOfTheirClientIsAnsweredAlthoughOurServer(program: InteropProgram) async throws {
    let (transport, service) = (EventLoopServerTransport(ServerTransportSettings(host: "127.0.0.1", port: 0)), EchoService())
    try await withGRPCServer(transport: transport, services: [service]) { server in
      let (code, text) = try await program.drainingClient(port: try await transport.boundPort()).output {
        await eventually { service.release.waiting == 1 }
        server.beginGracefulShutdown()
        service.release.open()
      }
      #expect(code == 0, "\(text)")
    }
  }

  @Test(
    "a call of ours goes on although their server shuts down meanwhile, and no other begins", arguments: InteropProgram.available)
  func callOfOursGoesOnAlthoughTheirServerShutsDown(program: InteropProgram) async throws {
    try await program.server([]).whileServing { port, input in
      try await withGRPCClient(transport: EventLoopClientTransport(ClientTransportSettings(host: "127.0.0.1", port: port))) {
        client in
        let calls = EchoClient(client: client)
        let (turns, continuation) = AsyncStream.makeStream(of: UInt8.self)
        continuation.yield(1)
        try await calls.stream(Echo.chat, options: .defaults) { writer in
          for await turn in turns { try await writer.write([turn]) }
        } receive: { response in
          for try await message in response.messages {
            switch message {
            case [1]:
              try input.write(contentsOf: Data("drain\n".utf8))
              await eventually("their server takes calls still") {
                do { _ = try await calls.unary([1]) } catch { return (error as? RPCError)?.code == .unavailable }
                return false
              }
              continuation.yield(2)
            default:
              #expect(message == [2])
              continuation.finish()
            }
          }
        }
      }
    }
  }

  @Test("our client, their server", arguments: InteropProgram.available, Security.allCases)
  func ourClientTheirServer(program: InteropProgram, security: Security) async throws {
    let certificates = try TestCertificates()
    defer { certificates.remove() }
    try await program.server(certificates.serverArguments(security)).whileServing { port, _ in
      var settings = ClientTransportSettings(host: "127.0.0.1", port: port)
      settings.security = try certificates.clientTLS(security)
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
        try await EchoCases.cancelAfterBegin(calls)
        try await EchoCases.cancelAfterFirstResponse(calls)
        try await EchoCases.gzip(calls)
        try await EchoCases.concurrency(calls)
      }
    }
  }
}

extension TestCertificates {
  /// Flags of a client of Tests/Interop.
  func clientArguments(_ security: InteropTests.Security) -> [String] {
    switch security {
    case .plaintext: []
    case .serverTLS: ["--ca", path("ca.pem")]
    case .mutualTLS: ["--ca", path("ca.pem")] + proof("client")
    }
  }

  /// Flags of a server of Tests/Interop.
  func serverArguments(_ security: InteropTests.Security) -> [String] {
    switch security {
    case .plaintext: []
    case .serverTLS: proof("server")
    case .mutualTLS: ["--ca", path("ca.pem")] + proof("server")
    }
  }

  private func proof(_ name: String) -> [String] {
    ["--certificate", path("\(name).pem"), "--key", path("\(name).key")]
  }

  func serverTLS(_ security: InteropTests.Security) throws -> ServerTLS? {
    switch security {
    case .plaintext: nil
    case .serverTLS: try ServerTLS(sources(asksClients: false))
    case .mutualTLS: try serverTLS()
    }
  }

  func clientTLS(_ security: InteropTests.Security) throws -> ClientTLS? {
    security == .plaintext ? nil : try clientTLS(proving: security == .mutualTLS)
  }

  func sources(_ name: String = "server", asksClients: Bool = true) -> ServerTLS.Sources {
    ServerTLS.Sources(
      certificateChain: .file(path("\(name).pem")), privateKey: .file(path("\(name).key")),
      clientRoots: asksClients ? .file(path("ca.pem")) : nil)
  }

  func serverTLS() throws -> ServerTLS { try ServerTLS(sources()) }

  func clientTLS(proving: Bool = true, serverName: String = "localhost") throws -> ClientTLS {
    try ClientTLS(
      roots: .file(path("ca.pem")), certificateChain: proving ? .file(path("client.pem")) : nil,
      privateKey: proving ? .file(path("client.key")) : nil, serverName: serverName)
  }
}
