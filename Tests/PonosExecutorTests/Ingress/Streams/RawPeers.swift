import GRPCCore
import Logging
import PonosAPI
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting
import PonosTransport
import SwiftProtobuf

@testable import PonosExecutor

/// An aggregator that writes wire messages by hand, and may misbehave.
struct RawAggregator: Sendable {
  let heartbeat: UInt32

  /// Opens a session in good order and says no more. Returns what came, and how long the session lasted after the proof.
  func proveAndFallSilent(port: Int) async throws -> (messages: [Ponos_V1_ExecutorMessage], took: Duration) {
    let start = ContinuousClock.now
    let messages = try await exchange(port: port) { _ in }
    return (messages, ContinuousClock.now - start)
  }

  /// Opens a session in good order, sends one message as soon as it is established, and returns all that came up to the end, or to
  /// the message that was waited for.
  func exchange(
    port: Int, until isLast: @escaping @Sendable (Ponos_V1_ExecutorMessage) -> Bool = { _ in false },
    _ fill: @escaping @Sendable (inout Ponos_V1_AggregatorMessage) -> Void
  ) async throws -> [Ponos_V1_ExecutorMessage] {
    let aggregator = TestAggregator.registered(.ecdsa)
    let ours = AggregatorHello(
      challenge: .random(), owner: StreamRig.owner(), executor: PipelineRig.operatorAddress, operatorSetID: 0,
      heartbeat: Int64(heartbeat))
    let (outgoing, say) = AsyncStream<Ponos_V1_AggregatorMessage>.makeStream()
    say.yield(AggregatorMessage.hello(ours).wire)
    let transport = try Transports.client(ClientTransportSettings(host: "127.0.0.1", port: port))
    return try await withGRPCClient(transport: transport) { client in
      try await Ponos_V1_TaskStreamService.Client(wrapping: client).openSession { writer in
        for await message in outgoing { try await writer.write(message) }
      } onResponse: { response in
        var received: [Ponos_V1_ExecutorMessage] = []
        do {
          for try await wire in response.messages {
            received.append(wire)
            if isLast(wire) { break }
            switch try ExecutorMessage<StreamAnswer>(wire: wire) {
            case .hello(let theirs):
              let message = SessionProofMessage(role: .aggregator, aggregator: ours, executor: theirs)
              say.yield(AggregatorMessage.proof(signature: try aggregator.key.signMessage(message.digest)).wire)
            case .proof:
              var message = Ponos_V1_AggregatorMessage()
              fill(&message)
              if message.body != nil { for _ in 0..<20 { say.yield(message) } }
            default: break
            }
          }
        } catch let error as RPCError {
          // How sessions end that were not ended in good order; the goodbye came before.
          if received.isEmpty { throw error }
        }
        say.finish()
        return received
      }
    }
  }
}

extension RawAggregator {
  /// Opens a session in good order, then asks more and more, says that it lives, and reads nothing. Returns when it cannot write
  /// any more, or the call has ended.
  func proveAndReadNothing(port: Int) async throws {
    let aggregator = TestAggregator.registered(.ecdsa)
    let ours = AggregatorHello(
      challenge: .random(), owner: StreamRig.owner(), executor: PipelineRig.operatorAddress, operatorSetID: 0,
      heartbeat: Int64(heartbeat))
    let (proofs, prove) = AsyncStream<Ponos_V1_AggregatorMessage>.makeStream()
    let transport = try Transports.client(ClientTransportSettings(host: "127.0.0.1", port: port))
    try await withGRPCClient(transport: transport) { client in
      try await Ponos_V1_TaskStreamService.Client(wrapping: client).openSession { writer in
        try await writer.write(AggregatorMessage.hello(ours).wire)
        for await proof in proofs { try await writer.write(proof) }
        let question = AggregatorMessage.reconciliation((0..<1024).map { _ in TaskID(unchecked: Digest32.random().bytes) }).wire
        while true {
          try await writer.write(question)
          try await writer.write(AggregatorMessage.heartbeat.wire)
        }
      } onResponse: { response in
        for try await wire in response.messages {
          guard case .hello(let theirs) = try ExecutorMessage<StreamAnswer>(wire: wire) else { continue }
          let message = SessionProofMessage(role: .aggregator, aggregator: ours, executor: theirs)
          prove.yield(AggregatorMessage.proof(signature: try aggregator.key.signMessage(message.digest)).wire)
          prove.finish()
          break
        }
        // Neither read nor given up, until the test is over.
        try await Task.sleep(for: .seconds(600))
      }
    }
  }

  /// Opens as many calls as `count` says, and says nothing on them, until it is cancelled.
  static func knock(port: Int, count: Int) async throws {
    let transport = try Transports.client(ClientTransportSettings(host: "127.0.0.1", port: port))
    try await withGRPCClient(transport: transport) { client in
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<count {
          group.addTask {
            do {
              try await Ponos_V1_TaskStreamService.Client(wrapping: client).openSession { _ in
                try await Task.sleep(for: .seconds(600))
              } onResponse: { response in
                for try await _ in response.messages {}
              }
            } catch {
              // Turned away or cancelled: what was to be seen is seen at the other end.
              return
            }
          }
        }
      }
    }
  }
}

/// An executor that says hello and nothing more.
struct MuteExecutor: Ponos_V1_TaskStreamService.SimpleServiceProtocol {
  let heartbeat: Int64

  func openSession(
    request: RPCAsyncSequence<Ponos_V1_AggregatorMessage, any Error>, response: RPCWriter<Ponos_V1_ExecutorMessage>,
    context: ServerContext
  ) async throws {
    let hello = ExecutorHello(
      challenge: .random(), executor: PipelineRig.operatorAddress, session: .random(), heartbeat: heartbeat, wanted: nil)
    try await response.write(ExecutorMessage<StreamAnswer>.hello(hello).wire)
    for try await _ in request {}
  }

  func serve<Result: Sendable>(_ body: @escaping @Sendable (Int) async throws -> Result) async throws -> Result {
    let server = GRPCServer(
      transport: Transports.server(ServerTransportSettings(host: "127.0.0.1", port: 0)), services: [self])
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.serve() }
      let result = try await body(try await server.transport.boundPort())
      server.beginGracefulShutdown()
      group.cancelAll()
      return result
    }
  }
}

extension Logger {
  /// Says nothing.
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
