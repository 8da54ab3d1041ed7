import ArgumentParser
import Foundation
import GRPCCore
import GRPCProtobuf
import PonosAPI
import PonosTransport
import SwiftProtobuf

/// The floor of a whole task: takes submissions and hands their payload to a performer, as the daemon does, and nothing else. No
/// check, no queue, no journal, no signature; the transport and the messages are the daemon's.
struct EchoProxyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "echo-proxy", abstract: "The floor of the end-to-end group; started by it.", shouldDisplay: false)

  @Option(help: "IP address of the performer.")
  var host: String

  @Option(help: "Port of the performer.")
  var port = 8080

  @Option(help: "Port to listen on.")
  var listen: Int

  func run() async throws {
    let client = GRPCClient(transport: try Transports.client(ClientTransportSettings(host: host, port: port)))
    let performer = Eigenlayer_Hourglass_V1_Performer_PerformerService.Client(wrapping: client)
    let server = GRPCServer(
      transport: Transports.server(ServerTransportSettings(host: "127.0.0.1", port: listen)),
      services: [EchoProxy(performer: performer)])
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { try await client.runConnections() }
      group.addTask { try await server.serve() }
    }
  }
}

/// See ``EchoProxyCommand``.
private struct EchoProxy: Eigenlayer_Hourglass_V1_ExecutorService.SimpleServiceProtocol {
  let performer: Eigenlayer_Hourglass_V1_Performer_PerformerService.Client<ClientTransportInUse>

  func submitTask(
    request: Eigenlayer_Hourglass_V1_TaskSubmission, context: ServerContext
  ) async throws -> Eigenlayer_Hourglass_V1_TaskResult {
    let reply = try await performer.executeTask(
      .with {
        $0.taskID = Data(request.taskID.utf8)
        $0.payload = request.payload
      })
    return .with {
      $0.taskID = request.taskID
      $0.operatorAddress = request.executorAddress
      $0.output = reply.result
      // As many bytes as the daemon's signatures have.
      $0.resultSignature = Data(count: 65)
      $0.avsAddress = request.avsAddress
      $0.operatorSetID = request.operatorSetID
      $0.authSignature = Data(count: 65)
      $0.version = request.version
    }
  }
}
