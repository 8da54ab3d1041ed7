import Glibc
import GRPCCore
import PonosTransport

/// Serves or loads one transport: `serve own|library PORT`, `load own|library PORT CONNECTIONS PARALLEL CALLS SIZE`,
/// `chat own|library PORT CONNECTIONS PARALLEL CALLS SIZE`, `connect own|library PORT CALLS`.
///
/// A load prints one line: calls per second, mean latency in microseconds, CPU microseconds of this process per call.
@main
enum TransportBenchmark {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count >= 3, let port = Int(arguments[arguments.startIndex + 2]) else {
      print("usage: transport-benchmark serve|load|chat|connect own|library PORT [CONNECTIONS PARALLEL CALLS SIZE]")
      exit(2)
    }
    let numbers = arguments.dropFirst(3).compactMap { Int($0) }
    let isOwn = arguments[arguments.startIndex + 1] == "own"
    switch arguments[arguments.startIndex] {
    case "serve": try await serve(isOwn: isOwn, port: port)
    case "connect": try await Load(isOwn: isOwn, port: port, numbers: [1, 1] + numbers + [100]).connectPerCall()
    case "chat": try await Load(isOwn: isOwn, port: port, numbers: numbers).chat()
    default: try await Load(isOwn: isOwn, port: port, numbers: numbers).unary()
    }
  }

  private static func serve(isOwn: Bool, port: Int) async throws {
    let settings = ServerTransportSettings(host: "127.0.0.1", port: port)
    if isOwn {
      let transport = EventLoopServerTransport(settings)
      try await withGRPCServer(transport: transport, services: [BenchmarkService()]) { _ in
        try await serveUntilInputEnds(port: try await transport.boundPort())
      }
    } else {
      let transport = LibraryTransports.server(settings)
      try await withGRPCServer(transport: transport, services: [BenchmarkService()]) { _ in
        try await serveUntilInputEnds(port: try await transport.boundPort())
      }
    }
  }

  private static func serveUntilInputEnds(port: Int) async throws {
    print(port)
    fflush(nil)
    await Task.detached { while getchar() != EOF {} }.value
    exit(0)
  }
}

/// Calls made as fast as they are answered.
struct Load {
  let isOwn: Bool
  let port: Int
  let connections: Int
  let parallel: Int
  let calls: Int
  let message: [UInt8]

  init(isOwn: Bool, port: Int, numbers: [Int]) {
    self.isOwn = isOwn
    self.port = port
    connections = numbers[0]
    parallel = numbers[1]
    calls = numbers[2]
    message = [UInt8](repeating: 7, count: numbers[3])
  }

  private var settings: ClientTransportSettings { ClientTransportSettings(host: "127.0.0.1", port: port) }

  func unary() async throws {
    try await onEachConnection { client, count in
      for _ in 0..<count { try await client.unary(message) }
    }
  }

  func chat() async throws {
    try await onEachConnection { client, count in try await client.chat(message, turns: count) }
  }

  func connectPerCall() async throws {
    let start = Reading.now
    for _ in 0..<calls { try await withClient { try await $0.unary(message) } }
    start.report(calls: calls, sequential: calls)
  }

  /// Runs `work` on each connection as often at a time as asked, with a call before the clock starts.
  private func onEachConnection(
    _ work: @escaping @Sendable (any BenchmarkCalls, Int) async throws -> Void
  ) async throws {
    let each = calls / (connections * parallel)
    try await withClients(connections) { clients in
      for client in clients { try await client.unary(message) }
      let start = Reading.now
      try await withThrowingDiscardingTaskGroup { group in
        for client in clients {
          for _ in 0..<parallel { group.addTask { try await work(client, each) } }
        }
      }
      start.report(calls: each * connections * parallel, sequential: each)
    }
  }

  private func withClients(_ count: Int, _ body: @escaping @Sendable ([any BenchmarkCalls]) async throws -> Void) async throws {
    try await nest(count, [], body)
  }

  private func nest(
    _ count: Int, _ clients: [any BenchmarkCalls], _ body: @escaping @Sendable ([any BenchmarkCalls]) async throws -> Void
  ) async throws {
    guard count > 0 else { return try await body(clients) }
    try await withClient { try await nest(count - 1, clients + [$0], body) }
  }

  private func withClient(_ body: (any BenchmarkCalls) async throws -> Void) async throws {
    if isOwn {
      try await withGRPCClient(transport: EventLoopClientTransport(settings)) { try await body(BenchmarkClient(client: $0)) }
    } else {
      try await withGRPCClient(transport: try LibraryTransports.client(settings)) { try await body(BenchmarkClient(client: $0)) }
    }
  }
}

protocol BenchmarkCalls: Sendable {
  func unary(_ message: [UInt8]) async throws
  func chat(_ message: [UInt8], turns: Int) async throws
}

struct BenchmarkClient<Transport: ClientTransport>: BenchmarkCalls {
  let client: GRPCClient<Transport>

  func unary(_ message: [UInt8]) async throws {
    let answer = try await client.unary(
      request: ClientRequest(message: message), descriptor: BenchmarkService.unary,
      serializer: RawBytes(), deserializer: RawBytes(), options: .defaults
    ) { try $0.message }
    precondition(answer.count == message.count)
  }

  func chat(_ message: [UInt8], turns: Int) async throws {
    let (tokens, next) = AsyncStream.makeStream(of: Void.self)
    next.yield()
    try await client.bidirectionalStreaming(
      request: StreamingClientRequest { writer in
        for await _ in tokens { try await writer.write(message) }
      },
      descriptor: BenchmarkService.chat, serializer: RawBytes(), deserializer: RawBytes(), options: .defaults
    ) { response in
      var turn = 0
      for try await _ in response.messages {
        turn += 1
        if turn == turns { next.finish() } else { next.yield() }
      }
    }
  }
}

/// Clock and CPU time of this process.
struct Reading {
  let clock: ContinuousClock.Instant
  let cpu: Double

  static var now: Reading {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let microseconds = { (time: timeval) in Double(time.tv_sec) * 1e6 + Double(time.tv_usec) }
    return Reading(clock: .now, cpu: microseconds(usage.ru_utime) + microseconds(usage.ru_stime))
  }

  /// - Parameter sequential: calls one worker made one after the other.
  func report(calls: Int, sequential: Int) {
    let end = Reading.now
    let seconds = Double((end.clock - clock) / .microseconds(1)) / 1e6
    let figures = [Double(calls) / seconds, seconds * 1e6 / Double(sequential), (end.cpu - cpu) / Double(calls)]
    print(figures.map { String(Double(Int($0 * 10)) / 10) }.joined(separator: " "))
  }
}
