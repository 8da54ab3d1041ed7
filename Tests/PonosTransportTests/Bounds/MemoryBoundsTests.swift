import GRPCCore
import NIOCore
import NIOPosix
import Testing

@testable import PonosTransport

@Suite("What peers can make the process hold")
struct MemoryBoundsTests {
  private static func quota(received: Int = .max, unsent: Int = .max) -> ResourceQuota {
    var limits = ResourceQuota.Limits()
    (limits.maxReceivedBytes, limits.maxUnsentBytes) = (received, unsent)
    return ResourceQuota(limits)
  }

  private static func settings(_ quota: ResourceQuota) -> ServerTransportSettings {
    var settings = EmbeddedServer.settings
    settings.quota = quota
    return settings
  }

  @Test("beginnings of messages on many connections: the largest holders end, and the process holds no more than its budget")
  func beginningsOfMessagesOnManyConnections() throws {
    let limit = 2 << 20
    let quota = Self.quota(received: limit)
    let attackers = try (0..<40).map { _ in try EmbeddedServer(Self.settings(quota), host: .ipv4(1)) }
    let honest = try EmbeddedServer(Self.settings(quota), host: .ipv4(2))
    try honest.begin(EmbeddedServer.stream, on: 1, length: 100_000, count: 99_999)
    var peak = 0
    for (number, attacker) in attackers.enumerated() {
      try attacker.begin(EmbeddedServer.stream, on: 1, length: 5 << 20, count: number == 5 ? 200_000 : 100_000)
      for other in attackers { other.run() }
      peak = max(peak, quota.usage.receivedBytes)
    }
    // Without the budget: 40 × 100,000 bytes and more.
    #expect(peak <= limit + QuotaShare.chunk)
    #expect(quota.count(of: .receivedBytes) > 0)
    // The largest went first, and was told why.
    #expect(attackers[5].statuses[1]?.code == "8")
    #expect(attackers[5].statuses[1]?.message.contains("\(limit) bytes") == true)
    #expect(attackers[5].isLeaving)
    // A peer that holds little is left alone.
    try honest.receive(honest.data([1], on: 1, ends: true))
    #expect(honest.statuses[1]?.code == "0")
    for connection in attackers + [honest] { connection.close() }
    #expect(quota.usage == ResourceQuota.Usage())
  }

  @Test("256 answers of 1.5 MiB that nobody reads: one connection holds no more than its budget, and the rest is refused")
  func test256AnswersOf1() throws {
    let quota = Self.quota()
    let server = try EmbeddedServer(Self.settings(quota))
    server.answerBytes = 3 << 19
    for stream in stride(from: UInt32(1), to: 512, by: 2) { try server.request(EmbeddedServer.unary, on: stream) }
    let limit = ServerTransportSettings(host: "", port: 0).maxUnsentBytes
    // Without the budget: 256 × 1.5 MiB = 384 MiB.
    #expect(server.link.unsent.bytes <= limit)
    #expect(quota.usage.unsentBytes <= limit + 2 * QuotaShare.chunk)
    #expect(quota.usage.unsentBytes >= server.link.unsent.bytes)
    let refused = server.statuses.values.filter { $0.code == "8" }
    #expect(refused.count == 256 - limit / (3 << 19))
    #expect(refused.allSatisfy { $0.message.contains("\(limit) bytes") })
    #expect(quota.count(of: .connectionUnsentBytes) == refused.count)
    // None of the rest moves, so all of them end.
    server.advance(by: .seconds(29))
    #expect(server.resets.isEmpty && server.link.unsent.bytes > 0)
    server.advance(by: .seconds(10))
    #expect(server.resets.count == 256 - refused.count)
    #expect(server.link.unsent.bytes == 0 && quota.usage.unsentBytes == 0)
    #expect(quota.count(of: .responseTime) == server.resets.count)
    server.close()
  }

  @Test("answers that nobody reads on many connections: the process holds no more than its budget")
  func answersThatNobodyReadsOnManyConnections() throws {
    let limit = 16 << 20
    let quota = Self.quota(unsent: limit)
    let servers = try (0..<8).map { try EmbeddedServer(Self.settings(quota), host: .ipv4($0 / 4)) }
    var peak = 0
    for round in 0..<8 {
      for server in servers {
        server.answerBytes = 1 << 20
        try server.request(EmbeddedServer.unary, on: UInt32(round) * 2 + 1)
        for other in servers { other.run() }
        peak = max(peak, quota.usage.unsentBytes)
      }
    }
    // Without the budget: 8 × 8 MiB.
    #expect(peak <= limit + 1 << 20 + 4 * QuotaShare.chunk)
    #expect(quota.count(of: .unsentBytes) > 0)
    // ENHANCE_YOUR_CALM, which clients of gRPC read as RESOURCE_EXHAUSTED.
    #expect(servers.flatMap(\.resets.values).allSatisfy { $0 == 0xb } && servers.contains { !$0.resets.isEmpty })
    for server in servers { server.close() }
    #expect(quota.usage == ResourceQuota.Usage())
  }

  @Test("small calls reserve nothing: the process-wide counts are touched by what is large alone")
  func smallCallsReserveNothing() throws {
    let quota = Self.quota(received: 0, unsent: 0)
    let server = try EmbeddedServer(Self.settings(quota))
    for stream in stride(from: UInt32(1), to: 400, by: 2) { try server.request(EmbeddedServer.unary, on: stream) }
    #expect(server.statuses.count == 200 && server.statuses.values.allSatisfy { $0.code == "0" })
    #expect(quota.count(of: .receivedBytes) == 0 && quota.count(of: .unsentBytes) == 0)
    server.close()
  }

  @Test("one result for many callers lies in memory once")
  func oneResultForManyCallersLiesInMemoryOnce() throws {
    let message = SharedMessage([UInt8](repeating: 7, count: 1 << 20))
    let copies: [MessageBytes] = try (0..<2).map { _ in try SharedMessage.Serializer().serialize(message) }
    let places = copies.map { copy in copy.framed.withUnsafeReadableBytes { $0.baseAddress } }
    #expect(places[0] == places[1])
    #expect(copies[0].framed.readableBytes == 1 << 20 + MessageBytes.prefixLength)
    let other: [UInt8] = try SharedMessage.Serializer().serialize(message)
    #expect(other.count == message.count)
  }

  @Test("a request has 30 seconds to be complete, and so has a message of a stream, which may itself go on")
  func requestHas30SecondsToBeComplete() throws {
    let quota = Self.quota()
    let server = try EmbeddedServer(Self.settings(quota))
    try server.receive(try server.head(EmbeddedServer.unary, on: 1))
    try server.begin(EmbeddedServer.unary, on: 3, length: 1_000, count: 10)
    try server.begin(EmbeddedServer.stream, on: 5, length: 1_000, count: 10)
    try server.receive(try server.head(EmbeddedServer.stream, on: 7))
    // A trickle is no help.
    for _ in 0..<3 {
      server.advance(by: .milliseconds(9_900))
      for stream: UInt32 in [3, 5] { try server.receive(server.data([1], on: stream)) }
    }
    #expect(server.statuses.isEmpty)
    server.advance(by: .seconds(8))
    #expect(server.statuses.filter { $0.value.code == "4" }.keys.sorted() == [1, 3, 5])
    #expect(quota.count(of: .requestTime) == 3)
    // The stream without a message that has begun goes on.
    server.advance(by: .seconds(100))
    #expect(server.statuses[7] == nil)
    try server.receive(server.data(Array(MessageBytes([1]).framed.readableBytesView), on: 7, ends: true))
    #expect(server.statuses[7]?.code == "0")
    server.close()
  }

  @Test("a method's own limit is judged by the length that a message announces, before any of it is there")
  func methodsOwnLimitIsJudgedByLengthThatMessage() throws {
    let quota = Self.quota()
    var settings = Self.settings(quota)
    settings.methodLimits["a.B/Unary"] = .small
    let server = try EmbeddedServer(settings)
    try server.receive(try server.head(EmbeddedServer.unary, on: 1), server.data([0, 0, 1, 0, 1], on: 1))
    #expect(server.statuses[1]?.code == "8")
    #expect(server.statuses[1]?.message.contains("65536 bytes") == true)
    #expect(server.link.budget.heldBytes == 0)
    #expect(quota.count(of: .messageSize) == 1)
    // Others have the limit of the listener.
    try server.begin(EmbeddedServer.stream, on: 3, length: 65_537, count: 1)
    #expect(server.statuses[3] == nil)
    server.close()
  }

  @Test("compression that is switched off for a method is refused with the encodings that are not")
  func compressionThatIsSwitchedOffForMethodIsRefused() throws {
    let quota = Self.quota()
    var settings = Self.settings(quota)
    settings.methodLimits["a.B/Unary"] = .small
    let server = try EmbeddedServer(settings)
    try server.receive(try server.head(EmbeddedServer.unary, on: 1, fields: [("grpc-encoding", "gzip")]))
    #expect(server.statuses[1]?.code == "12")
    #expect(quota.count(of: .compression) == 1)
    #expect(server.link.budget.heldBytes == 0)
    server.close()
  }

  @Test("few calls of a method that goes on for long fit on a connection, and one that ends makes room")
  func fewCallsOfMethodThatGoesOnForLongFitOnConnection() throws {
    let quota = Self.quota()
    var settings = Self.settings(quota)
    settings.methodLimits["a.B/Stream"] = MethodLimits(maxCallsPerConnection: 4)
    let server = try EmbeddedServer(settings)
    for stream: UInt32 in [1, 3, 5, 7, 9] { try server.receive(try server.head(EmbeddedServer.stream, on: stream)) }
    #expect(server.statuses.keys.sorted() == [9])
    #expect(server.statuses[9]?.code == "8")
    try server.receive(RawFrame.bytes(type: 3, stream: 3, payload: [0, 0, 0, 8]))
    try server.receive(try server.head(EmbeddedServer.stream, on: 11))
    #expect(server.statuses[11] == nil)
    #expect(quota.count(of: .callsOfMethod) == 1)
    server.close()
  }

  @Test("a listener knows the health service: requests of 64 KiB, four watchers, no compression")
  func listenerKnowsHealthService() {
    let service = ServiceDescriptor(fullyQualifiedService: "grpc.health.v1.Health")
    let settings = EmbeddedServer.settings
    let (check, watch) = (
      settings.served(MethodDescriptor(service: service, method: "Check")),
      settings.served(MethodDescriptor(service: service, method: "Watch"))
    )
    #expect(check.maxRequestBytes == 65_536 && !check.acceptsCompression && check.maxCallsPerConnection == nil)
    #expect(watch.maxRequestBytes == 65_536 && !watch.acceptsCompression && watch.maxCallsPerConnection == 4)
    let other = settings.served(EmbeddedServer.unary)
    #expect(other.maxRequestBytes == settings.maxRequestBytes && other.acceptsCompression)
  }

  @Test("a message of 4 KiB becomes no more than 32 KiB: the rest is not decompressed")
  func messageOf4KiBBecomesNoMoreThan32KiB() throws {
    let compressed = Gzip.compress(ByteBuffer(repeating: 0, count: 4 << 20))
    let limits = DecompressionLimits(maxBytes: 6 << 20, maxRatio: 8)
    // Without the ratio: 4 MiB.
    #expect(limits.bytes(forCompressed: compressed.readableBytes) == 8 * compressed.readableBytes)
    let message = MessageBytes(received: compressed, isCompressed: true)
    let fault = #expect(throws: CallFault.self) { try message.decompressed(limits) }
    #expect(fault?.code == .resourceExhausted && fault?.limit == .compressionRatio)
    #expect(fault?.message.contains("8 times") == true)
    // Few bytes are never refused for their ratio.
    let small = MessageBytes(received: Gzip.compress(ByteBuffer(repeating: 0, count: 1_024)), isCompressed: true)
    #expect(try small.decompressed(limits).count == 1_024)
    #expect(DecompressionLimits(maxBytes: 100, maxRatio: 8).bytes(forCompressed: 1_000) == 100)
  }

  @Test("a request that does not say its length gets no handler")
  func requestThatDoesNotSayItsLengthGetsNoHandler() throws {
    let server = try EmbeddedServer()
    try server.receive(try server.head(EmbeddedServer.unary, on: 1), server.data([0, 0, 0, 0], on: 1))
    #expect(server.handlersBegun == 0)
    try server.receive(server.data([1], on: 1))
    #expect(server.handlersBegun == 1)
    // A client that gives up before is none, either; of a stream the handler may have the first word.
    try server.receive(try server.head(EmbeddedServer.unary, on: 3), RawFrame.bytes(type: 3, stream: 3, payload: [0, 0, 0, 8]))
    try server.receive(try server.head(EmbeddedServer.stream, on: 5))
    #expect(server.handlersBegun == 2)
    server.close()
  }

  @Test("large requests are decoded off the event loop, small ones on it, compressed ones by what they may become")
  func largeRequestsAreDecodedOffEventLoop() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    try await ConnectionTests.serve(ConnectionTests.tcp, on: group) { _, client in
      try await ConnectionTests.connect(client) { calls in
        let loop = try await calls.unary([1], method: Echo.place).bytes
        let places = [
          try await calls.unary([UInt8](repeating: 1, count: 64 << 10), method: Echo.place).bytes,
          try await calls.unary([UInt8](repeating: 1, count: 64 << 10 + 1), method: Echo.place).bytes,
          try await calls.unary([1], method: Echo.place).bytes,
        ]
        #expect(places.map { $0 == loop } == [true, false, true])
        var options = CallOptions.defaults
        options.compression = .gzip
        let noise = (0..<20_000).map { _ in UInt8.random(in: 0...255) }
        let compressed = try await calls.unary(noise, method: Echo.place, options: options).bytes
        #expect(compressed != loop)
      }
    }
    try await group.shutdownGracefully()
  }
}
