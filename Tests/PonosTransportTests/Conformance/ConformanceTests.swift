import GRPCCore
import Testing

@testable import PonosTransport

/// What every gRPC transport has to do, on each combination of ours and the library's, and on ours over TLS and a unix socket.
@Suite("Conformance", .serialized)
struct ConformanceTests {
  @Test("one message of any size there and back", arguments: TransportPair.allCases)
  func oneMessageOfAnySizeThereAndBack(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.unary(client) }
  }

  @Test("many messages in, one out", arguments: TransportPair.allCases)
  func manyMessagesIn(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.clientStreaming(client) }
  }

  @Test("one message in, many out", arguments: TransportPair.allCases)
  func oneMessageIn(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.serverStreaming(client) }
  }

  @Test("ping-pong", arguments: TransportPair.allCases)
  func pingPong(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.pingPong(client) }
  }

  @Test("a stream without messages", arguments: TransportPair.allCases)
  func streamWithoutMessages(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.emptyStream(client) }
  }

  @Test("metadata goes both ways, ASCII and binary, several values for a key", arguments: TransportPair.allCases)
  func metadataGoesBothWays(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.metadata(client) }
  }

  @Test("each status code arrives with its message, whatever characters it has", arguments: TransportPair.allCases)
  func eachStatusCodeArrivesWithItsMessage(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.statuses(client) }
  }

  @Test("a method or service the server does not have", arguments: TransportPair.allCases)
  func methodOrServiceServerDoesNotHave(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.unimplemented(client) }
  }

  @Test("a deadline ends the call on both sides", arguments: TransportPair.allCases)
  func deadlineEndsCallOnBothSides(pair: TransportPair) async throws {
    try await pair.run { client, service in
      _ = try await client.unary([1])
      var options = CallOptions.defaults
      options.timeout = .milliseconds(500)
      let error = await #expect(throws: RPCError.self) {
        try await client.unary([1], method: Echo.hang, options: options)
      }
      #expect(error?.code == .deadlineExceeded)
      await eventually("the handler never learned of it") { service.cancellations.value == 1 }
    }
  }

  @Test(
    "cancelling the caller's task cancels the handler", arguments: TransportPair.allCases, [Echo.hang, Echo.hangAfterMetadata])
  func cancellingCallersTaskCancelsHandler(pair: TransportPair, method: MethodDescriptor) async throws {
    try await pair.run { client, service in
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          _ = try? await client.stream(method, options: .defaults) { writer in
            try await writer.write([1])
            try await Task.sleep(for: .seconds(60))
          } receive: { response in
            for try await _ in response.messages {}
          }
        }
        await eventually { service.hanging.value == 1 }
        group.cancelAll()
      }
      await eventually("the handler never learned of it") { service.cancellations.value == 1 }
      let answer = try await client.unary([2]).bytes
      #expect(answer == [2])
    }
  }

  @Test("messages over the limit are refused, on either side", arguments: TransportPair.allCases)
  func messagesOverLimitAreRefused(pair: TransportPair) async throws {
    try await pair.run(configureServer: { $0.maxRequestBytes = 10_000 }) { client, _ in
      let largest = try await client.unary(EchoCases.pattern(10_000)).bytes.count
      #expect(largest == 10_000)
      await #expect(throws: RPCError.self) { try await client.unary(EchoCases.pattern(10_001)) }
      let answer = try await client.unary([2]).bytes
      #expect(answer == [2])
    }
  }

  @Test("requests that cannot be sent end with their reason", arguments: TransportPair.allCases.filter(\.hasOwnClient))
  func requestsThatCannotBeSentEndWithTheirReason(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      let large: Metadata = ["x-ponos-text": .string(String(repeating: "v", count: 17_000))]
      let metadata = await #expect(throws: RPCError.self) { try await client.unary([1], metadata: large) }
      #expect(metadata?.code == .resourceExhausted)

      var options = CallOptions.defaults
      options.maxRequestMessageBytes = 10
      let answer = try await client.unary(EchoCases.pattern(10), options: options)
      #expect(answer.bytes.count == 10)
      let message = await #expect(throws: RPCError.self) { try await client.unary(EchoCases.pattern(11), options: options) }
      #expect(message?.code == .resourceExhausted)

      let producer = await #expect(throws: RPCError.self) {
        try await client.stream(Echo.chat, options: .defaults) { writer in
          try await writer.write([1])
          throw RPCError(code: .dataLoss, message: "the source has dried up")
        } receive: { response in
          for try await _ in response.messages {}
        }
      }
      #expect(producer?.code == .dataLoss)
      try await EchoCases.stillWorks(client)
    }
  }

  @Test(
    "a deadline kept by the transport is one, and tells the handler, as does one in the metadata",
    arguments: TransportPair.allCases.filter(\.hasOwnClient))
  func deadlineKeptByTransportIsOne(pair: TransportPair) async throws {
    try await pair.run { client, service in
      try await EchoCases.stillWorks(client)
      let errors = [
        await #expect(throws: RPCError.self) {
          try await client.unary([1], method: Echo.hang, metadata: ["grpc-timeout": "300m"])
        },
        await #expect(throws: RPCError.self) {
          try await CallDeadline.after(.milliseconds(300)) { try await client.unary([1], method: Echo.hang) }
        },
      ]
      #expect(errors.map { $0?.code } == [.deadlineExceeded, .deadlineExceeded])
      await eventually("the handler never learned of it") { service.cancellations.value == 2 }
    }
  }

  @Test("large messages side by side, more than the connection may hold, are all complete in the end")
  func largeMessagesAtOnce() async throws {
    try await TransportPair.own.run(
      configureServer: {
        $0.maxRequestBytes = 512 << 10
        $0.http2.windowSize = 65_535
        $0.http2.maxHeldBytes = 2 << 20
      },
      configureClient: {
        $0.maxResponseBytes = 512 << 10
        $0.http2.windowSize = 65_535
        $0.http2.maxHeldBytes = 2 << 20
      }
    ) { client, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<8 {
          group.addTask {
            let bytes = EchoCases.pattern((512 << 10) - number)
            let answer = try await client.unary(bytes).bytes
            #expect(answer == bytes)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("many calls at once, each gets its own answer", arguments: TransportPair.allCases)
  func manyCallsAtOnce(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.concurrency(client) }
  }

  @Test("more calls than a connection carries at once wait for each other", arguments: TransportPair.allCases.filter(\.isOwn))
  func moreCallsThanConnectionCarriesAtOnceWait(pair: TransportPair) async throws {
    try await pair.run(configureServer: { $0.http2.maxConcurrentStreams = 20 }) { client, _ in
      try await EchoCases.concurrency(client, count: 150)
    }
  }

  @Test("the caller may leave after the first message", arguments: TransportPair.allCases)
  func leaveAfterFirstMessage(pair: TransportPair) async throws {
    try await pair.run { client, _ in try await EchoCases.leaveAfterFirstMessage(client) }
  }

  @Test(
    "a caller that gives up is told that it has, before the first answer and after it",
    arguments: TransportPair.allCases.filter(\.hasOwnClient))
  func callerThatGivesUpIsToldThatItHas(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      try await EchoCases.cancelAfterBegin(client)
      try await EchoCases.cancelAfterFirstResponse(client)
    }
  }

  @Test("gzip in both directions", arguments: TransportPair.allCases.filter(\.isOwn))
  func gzipInBothDirections(pair: TransportPair) async throws {
    // The pattern becomes much smaller than an eighth.
    let configure: @Sendable (inout ServerTransportSettings) -> Void = { settings in
      settings.compressesResponses = true
      settings.maxCompressionRatio = nil
    }
    try await pair.run(configureServer: configure) { client, _ in
      try await EchoCases.gzip(client)
      try await EchoCases.serverStreaming(client)
    }
  }

  @Test("a reader that stops stops the server's writer", arguments: TransportPair.allCases.filter(\.hasOwnServer))
  func readerThatStopsStopsServersWriter(pair: TransportPair) async throws {
    let window: @Sendable (inout HTTP2Limits) -> Void = { $0.windowSize = 65_535 }
    try await pair.run(configureServer: { window(&$0.http2) }, configureClient: { window(&$0.http2) }) { client, service in
      let resume = Gate()
      let received = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.expand(count: 2_000, size: 10_000) { _ in
            received.increment()
            if received.value == 1 { await resume.wait() }
          }
        }
        await eventually { service.written.value > 0 }
        var settled = -1
        await eventually {
          defer { settled = service.written.value }
          try? await Task.sleep(for: .milliseconds(200))
          return settled == service.written.value
        }
        // Twenty megabytes were asked for; only what windows and buffers hold may have been written.
        #expect(service.written.value < 1_000)
        resume.open()
        try await group.waitForAll()
      }
      #expect(received.value == 2_000)
    }
  }

  @Test("a handler that does not read stops the client's writer", arguments: TransportPair.allCases.filter(\.hasOwnClient))
  func handlerThatDoesNotReadStopsClientsWriter(pair: TransportPair) async throws {
    try await pair.run(configureServer: { $0.http2.windowSize = 65_535 }) { client, service in
      let sent = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.stream(Echo.ignore, options: .defaults) { writer in
            for _ in 0..<2_000 {
              try await writer.write([UInt8](repeating: 1, count: 10_000))
              sent.increment()
            }
          } receive: { response in
            for try await message in response.messages { #expect(message == [7]) }
          }
        }
        var settled = -1
        await eventually {
          defer { settled = sent.value }
          try? await Task.sleep(for: .milliseconds(200))
          return settled == sent.value && settled > 0
        }
        #expect(sent.value < 1_000)
        service.release.open()
        try await group.waitForAll()
      }
      let answer = try await client.unary([2]).bytes
      #expect(answer == [2])
    }
  }
}
