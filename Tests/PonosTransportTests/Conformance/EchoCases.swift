import GRPCCore
import Testing

/// What can be checked of any server of ``Echo``, ours or one in another language.
enum EchoCases {
  /// `count` bytes that are not all alike; made by doubling, which is quick even without optimisation.
  static func pattern(_ count: Int) -> [UInt8] {
    var bytes = (0..<min(count, 251)).map { UInt8($0) }
    while bytes.count < count { bytes += bytes.prefix(count - bytes.count) }
    return bytes
  }

  /// One message of any size there and back.
  static func unary(_ client: any EchoCalls) async throws {
    for size in [0, 1, 5, 100, 16_379, 16_384, 65_535, 271_828, 3 << 20] {
      let bytes = Self.pattern(size)
      let answer = try await client.unary(bytes).bytes
      #expect(answer == bytes)
    }
  }

  /// Many messages in, one out.
  static func clientStreaming(_ client: any EchoCalls) async throws {
    let messages = [27_182, 8, 1_828, 45_904].map { Self.pattern($0) }
    let total = try await client.collect(messages, options: .defaults)
    #expect(total == Array("74922".utf8))
    let nothing = try await client.collect([], options: .defaults)
    #expect(nothing == Array("0".utf8))
  }

  /// One message in, many out.
  static func serverStreaming(_ client: any EchoCalls) async throws {
    let received = Counter()
    try await client.expand(count: 300, size: 10_000) { message in
      #expect(message.count == 10_000 && message.first == UInt8(truncatingIfNeeded: received.value))
      received.increment()
    }
    #expect(received.value == 300)
  }

  /// Ping-pong.
  static func pingPong(_ client: any EchoCalls) async throws {
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

  /// A stream without messages.
  static func emptyStream(_ client: any EchoCalls) async throws {
    try await client.stream(Echo.chat, options: .defaults) { _ in
    } receive: { response in
      for try await _ in response.messages { Issue.record("nothing was sent") }
    }
  }

  /// Metadata goes both ways, ASCII and binary, several values for a key.
  static func metadata(_ client: any EchoCalls) async throws {
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

  /// Each status code arrives with its message, whatever characters it has.
  static func statuses(_ client: any EchoCalls) async throws {
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

  /// A method or service the server does not have.
  static func unimplemented(_ client: any EchoCalls) async throws {
    let other = ServiceDescriptor(fullyQualifiedService: "ponos.transport.Other")
    for method in [MethodDescriptor(service: Echo.service, method: "None"), MethodDescriptor(service: other, method: "Unary")] {
      let error = await #expect(throws: RPCError.self) { try await client.unary([1], method: method) }
      #expect(error?.code == .unimplemented)
    }
    let answer = try await client.unary([2]).bytes
    #expect(answer == [2])
  }

  /// Many calls at once, each gets its own answer. (Without optimisation, HTTP/2 takes a long time to find one of many streams.)
  static func concurrency(_ client: any EchoCalls, count: Int = 100) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<count {
        group.addTask {
          let bytes = Self.pattern(number * 37)
          let answer = try await client.unary(bytes).bytes
          #expect(answer == bytes)
        }
      }
      try await group.waitForAll()
    }
  }

  /// A deadline ends the call.
  static func deadline(_ client: any EchoCalls) async throws {
    var options = CallOptions.defaults
    options.timeout = .milliseconds(300)
    let error = await #expect(throws: RPCError.self) {
      try await client.unary([1], method: Echo.hang, options: options)
    }
    #expect(error?.code == .deadlineExceeded)
    try await stillWorks(client)
  }

  /// The caller may leave after the first of many messages.
  static func leaveAfterFirstMessage(_ client: any EchoCalls) async throws {
    struct Enough: Error {}
    await #expect(throws: Enough.self) {
      try await client.stream(Echo.hangAfterMetadata, options: .defaults) { writer in
        try await writer.write([1])
      } receive: { response in
        for try await message in response.messages {
          #expect(message == [1])
          throw Enough()
        }
      }
    }
    try await stillWorks(client)
  }

  /// The caller gives up as soon as the request has begun.
  static func cancelAfterBegin(_ client: any EchoCalls) async throws {
    try await cancel(Echo.collect, client)
  }

  /// The caller gives up after the first of many messages, and has not asked for the others.
  static func cancelAfterFirstResponse(_ client: any EchoCalls) async throws {
    try await cancel(Echo.hangAfterMetadata, client)
  }

  /// Cancels the task of a call, when the first answer is there if there is to be one; the call has to end as cancelled.
  private static func cancel(_ method: MethodDescriptor, _ client: any EchoCalls) async throws {
    let isAnswered = method == Echo.hangAfterMetadata
    let underWay = Gate()
    let call = Task {
      try await client.stream(method, options: .defaults) { writer in
        if isAnswered { try await writer.write([1]) } else { underWay.open() }
        try await Task.sleep(for: .seconds(60))
      } receive: { response in
        for try await _ in response.messages { underWay.open() }
      }
    }
    await underWay.wait()
    call.cancel()
    let result = await call.result
    #expect(throws: RPCError.self) { try result.get() }
    if case .failure(let error as RPCError) = result { #expect(error.code == .cancelled) }
    try await stillWorks(client)
  }

  /// Compressed requests are understood.
  static func gzip(_ client: any EchoCalls) async throws {
    var options = CallOptions.defaults
    options.compression = .gzip
    let answer = try await client.unary(pattern(271_828), options: options)
    #expect(answer.bytes == pattern(271_828))
  }

  static func stillWorks(_ client: any EchoCalls) async throws {
    let answer = try await client.unary([2])
    #expect(answer.bytes == [2])
  }
}
