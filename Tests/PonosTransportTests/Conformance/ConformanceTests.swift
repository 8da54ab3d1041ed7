import GRPCCore
import Testing

@testable import PonosTransport

/// What every gRPC transport has to do, on each combination of ours and the library's.
@Suite("Conformance", .serialized)
struct ConformanceTests {
  /// `count` bytes that are not all alike; made by doubling, which is quick even without optimisation.
  static func pattern(_ count: Int) -> [UInt8] {
    var bytes = (0..<min(count, 251)).map { UInt8($0) }
    while bytes.count < count { bytes += bytes.prefix(count - bytes.count) }
    return bytes
  }

  @Test("one message of any size there and back", arguments: TransportPair.allCases)
  func unary(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      for size in [0, 1, 5, 100, 16_379, 16_384, 65_535, 271_828, 3 << 20] {
        let bytes = Self.pattern(size)
        let answer1 = try await client.unary(bytes).bytes
        #expect(answer1 == bytes)
      }
    }
  }

  @Test("many messages in, one out", arguments: TransportPair.allCases)
  func clientStreaming(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      let messages = [27_182, 8, 1_828, 45_904].map { Self.pattern($0) }
      let total2 = try await client.collect(messages, options: .defaults)
      #expect(total2 == Array("74922".utf8))
      let total3 = try await client.collect([], options: .defaults)
      #expect(total3 == Array("0".utf8))
    }
  }

  @Test("one message in, many out", arguments: TransportPair.allCases)
  func serverStreaming(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      let received = Counter()
      try await client.expand(count: 300, size: 10_000) { message in
        #expect(message.count == 10_000 && message.first == UInt8(truncatingIfNeeded: received.value))
        received.increment()
      }
      #expect(received.value == 300)
    }
  }

  @Test("ping-pong", arguments: TransportPair.allCases)
  func pingPong(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      let (turns, continuation) = AsyncStream.makeStream(of: Int.self)
      continuation.yield(0)
      try await client.stream(Echo.chat, options: .defaults) { writer in
        for await turn in turns { try await writer.write(Self.pattern(turn * 100)) }
      } receive: { response in
        var turn = 0
        for try await message in response.messages {
          #expect(message == Self.pattern(turn * 100))
          turn += 1
          if turn == 200 { continuation.finish() } else { continuation.yield(turn) }
        }
        #expect(turn == 200)
      }
    }
  }

  @Test("a stream without messages", arguments: TransportPair.allCases)
  func emptyStream(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      try await client.stream(Echo.chat, options: .defaults) { _ in
      } receive: { response in
        for try await _ in response.messages { Issue.record("nothing was sent") }
      }
    }
  }

  @Test("metadata goes both ways, ASCII and binary, several values for a key", arguments: TransportPair.allCases)
  func metadata(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      var metadata: Metadata = ["x-ponos-text": "one", "x-ponos-text": "two"]
      for length in 0..<6 { metadata.addBinary(Self.pattern(length), forKey: "x-ponos-\(length)-bin") }
      let answer = try await client.unary([1], metadata: metadata)
      for echoed in [answer.initial, answer.trailing] {
        #expect(Array(echoed[stringValues: "x-ponos-text"]) == ["one", "two"])
        for length in 0..<6 {
          #expect(Array(echoed[binaryValues: "x-ponos-\(length)-bin"]) == [Self.pattern(length)])
        }
      }
    }
  }

  @Test("each status code arrives with its message, whatever characters it has", arguments: TransportPair.allCases)
  func statuses(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      for code in 1...16 {
        let message = "\t\ntest with whitespace\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608} 100% \(code)\t\n"
        let error = await #expect(throws: RPCError.self) {
          try await client.unary(Array("\(code) \(message)".utf8), method: Echo.fail)
        }
        #expect(error?.code.rawValue == code)
        #expect(error?.message == message)
        #expect(error.map { Array($0.metadata[stringValues: "why"]) } == ["asked for"])
      }
    }
  }

  @Test("a method or service the server does not have", arguments: TransportPair.allCases)
  func unimplemented(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      let other = ServiceDescriptor(fullyQualifiedService: "ponos.transport.Other")
      for method in [MethodDescriptor(service: Echo.service, method: "None"), MethodDescriptor(service: other, method: "Unary")] {
        let error = await #expect(throws: RPCError.self) { try await client.unary([1], method: method) }
        #expect(error?.code == .unimplemented)
      }
      let answer4 = try await client.unary([2]).bytes
      #expect(answer4 == [2])
    }
  }

  @Test("a deadline ends the call on both sides", arguments: TransportPair.allCases)
  func deadline(pair: TransportPair) async throws {
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

  @Test("cancelling the caller's task cancels the handler", arguments: TransportPair.allCases, [Echo.hang, Echo.hangAfterMetadata])
  func cancellation(pair: TransportPair, method: MethodDescriptor) async throws {
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
      let answer5 = try await client.unary([2]).bytes
      #expect(answer5 == [2])
    }
  }

  @Test("messages over the limit are refused, on either side", arguments: TransportPair.allCases)
  func messageSize(pair: TransportPair) async throws {
    try await pair.run(configureServer: { $0.maxRequestBytes = 10_000 }) { client, _ in
      let answer6 = try await client.unary(Self.pattern(10_000)).bytes.count
      #expect(answer6 == 10_000)
      await #expect(throws: RPCError.self) { try await client.unary(Self.pattern(10_001)) }
      let answer7 = try await client.unary([2]).bytes
      #expect(answer7 == [2])
    }
  }

  @Test("hundreds of calls at once, each gets its own answer", arguments: TransportPair.allCases)
  func concurrency(pair: TransportPair) async throws {
    try await pair.run { client, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<400 {
          group.addTask {
            let bytes = Self.pattern(number * 37)
            let answer8 = try await client.unary(bytes).bytes
            #expect(answer8 == bytes)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("a reader that stops stops the server's writer", arguments: TransportPair.allCases.filter(\.hasOwnServer))
  func responseBackpressure(pair: TransportPair) async throws {
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
  func requestBackpressure(pair: TransportPair) async throws {
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
      let answer9 = try await client.unary([2]).bytes
      #expect(answer9 == [2])
    }
  }
}
