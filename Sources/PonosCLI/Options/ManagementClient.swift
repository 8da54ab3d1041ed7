import ArgumentParser
import GRPCCore
import PonosAPI
import PonosCore
import PonosCrypto
import PonosTransport
import SwiftProtobuf

/// A peer a command talks to, as `host:port`.
struct Endpoint {
  let host: String
  let port: Int

  var text: String { "\(host):\(port)" }

  /// Runs `body` with a connected client and closes it afterwards.
  func withClient<R: Sendable>(
    _ body: @Sendable @escaping (GRPCClient<ClientTransportInUse>) async throws -> R
  ) async throws -> R {
    let client = GRPCClient(transport: try Transports.client(ClientTransportSettings(host: host, port: port)))
    return try await withThrowingTaskGroup(of: R?.self) { group in
      group.addTask {
        try await client.runConnections()
        return nil
      }
      group.addTask { try await body(client) }
      defer { client.beginGracefulShutdown() }
      while let result = try await group.next() {
        if let result { return result }
      }
      throw CommandFailure("the connection to \(text) ended")
    }
  }
}

extension Endpoint: ExpressibleByArgument {
  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"), let port = Int(argument[argument.index(after: colon)...]),
      (1...65535).contains(port), colon > argument.startIndex
    else { return nil }
    self.init(host: String(argument[..<colon]), port: port)
  }

  var defaultValueDescription: String { text }
}

/// Options of commands that call the management port.
struct ManagementOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Management port of the executor; its managementServerGrpcPort, if it has one.", valueName: "host:port"))
  var endpoint = Endpoint(host: "127.0.0.1", port: 9090)

  @Option(help: ArgumentHelp("Operator address; needed with a key, to sign a challenge.", valueName: "0x…"))
  var operatorAddress: String?

  @Option(help: ArgumentHelp("Give up after this many seconds.", valueName: "seconds"))
  var timeout = 300

  @OptionGroup var key: SigningKeyOptions

  typealias Stub = Eigenlayer_Hourglass_V1_ExecutorManagementService.Client<ClientTransportInUse>

  /// Calls the executor, with a signed challenge when a key is given; refusals become readable failures.
  func call<R: Sendable>(
    _ body: @Sendable @escaping (Stub, Eigenlayer_Hourglass_V1_Common_AuthSignature?, CallOptions) async throws -> R
  ) async throws -> R {
    let key = try key.load()
    if key != nil, operatorAddress == nil { throw CommandFailure("--operator-address is needed to sign a challenge with a key") }
    let (address, endpoint, timeout) = (operatorAddress, endpoint, timeout)
    do {
      return try await endpoint.withClient { client in
        var options = CallOptions.defaults
        options.timeout = .seconds(timeout)
        options.waitForReady = false
        let stub = Stub(wrapping: client)
        let proof = try await Self.proof(key, address, stub, options)
        return try await body(stub, proof, options)
      }
    } catch let error as RPCError {
      throw Self.failure(error, at: endpoint)
    }
  }

  /// Says that the endpoint is wrong when nobody listens there, or a server of another kind.
  private static func failure(_ error: RPCError, at endpoint: Endpoint) -> CommandFailure {
    let isElsewhere = [.unavailable, .unimplemented].contains(error.code)
    let cure = isElsewhere ? "; name the executor's management port with --endpoint" : ""
    return CommandFailure("\(endpoint.text): \(error.message) (\(error.code))\(cure)")
  }

  private static func proof(
    _ key: SigningKey?, _ address: String?, _ stub: Stub, _ options: CallOptions
  ) async throws -> Eigenlayer_Hourglass_V1_Common_AuthSignature? {
    guard let key, let address else { return nil }
    let challenge = try await stub.getChallengeToken(.with { $0.operatorAddress = address }, options: options)
    let signature: [UInt8]
    do throws(SigningError) {
      signature = try key.signMessage(ChallengeMessage(token: challenge.challengeToken).digest)
    } catch {
      throw CommandFailure("the challenge could not be signed: \(error.message)")
    }
    return .with { proof in
      proof.challengeToken = challenge.challengeToken
      proof.signature = .init(signature)
    }
  }
}
