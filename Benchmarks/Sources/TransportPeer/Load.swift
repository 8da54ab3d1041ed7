import GRPCCore
import PonosLibraryTransport
import PonosTransport

/// Calls made as fast as they are answered.
struct Load: Sendable {
  enum Mode: String, Sendable {
    /// Calls with one message each way.
    case unary
    /// One bidirectional stream for each worker; a call is a message there and back.
    case chat
    /// A connection of its own for each call.
    case connect
  }

  private let mode: Mode
  private let kind: TransportKind
  private let settings: ClientTransportSettings
  private let connections: Int
  private let parallel: Int
  private let calls: Int
  private let message: [UInt8]

  /// - Parameter numbers: connections, workers on each, calls altogether, bytes of a message.
  init?(_ mode: Mode, kind: TransportKind, port: Int, numbers: [Int]) {
    guard numbers.count == 4, numbers.allSatisfy({ $0 > 0 }) else { return nil }
    self.mode = mode
    self.kind = kind
    settings = ClientTransportSettings(host: "127.0.0.1", port: port)
    (connections, parallel, calls) = (numbers[0], numbers[1], numbers[2])
    message = [UInt8](repeating: 7, count: numbers[3])
  }

  func run() async throws {
    try await withClients(connections, []) { clients in
      for client in clients {
        for _ in 0..<200 { try await client.unary(message) }
      }
      let each = calls / (connections * parallel)
      let start = Reading.now
      try await withThrowingDiscardingTaskGroup { group in
        for client in clients {
          for _ in 0..<parallel { group.addTask { try await work(client, count: each) } }
        }
      }
      start.report(calls: each * connections * parallel, sequential: each)
    }
  }

  private func work(_ client: any EchoCalls, count: Int) async throws {
    switch mode {
    case .unary:
      for _ in 0..<count { try await client.unary(message) }
    case .chat:
      try await client.chat(message, turns: count)
    case .connect:
      for _ in 0..<count { try await withClient { try await $0.unary(message) } }
    }
  }

  private func withClients(
    _ count: Int, _ clients: [any EchoCalls], _ body: @escaping @Sendable ([any EchoCalls]) async throws -> Void
  ) async throws {
    guard count > 0 else { return try await body(clients) }
    try await withClient { try await withClients(count - 1, clients + [$0], body) }
  }

  private func withClient(_ body: (any EchoCalls) async throws -> Void) async throws {
    if kind == .library {
      try await withGRPCClient(transport: try LibraryTransports.client(settings)) { try await body(EchoClient(client: $0)) }
    } else {
      try await withGRPCClient(transport: EventLoopClientTransport(settings)) { try await body(EchoClient(client: $0)) }
    }
  }
}
