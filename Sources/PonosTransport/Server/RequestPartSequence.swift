/// Reads the parts of a request, for its handler.
struct RequestPartSequence: AsyncSequence, Sendable {
  typealias Element = ServerCall.Part
  typealias Failure = any Error

  let inbound: CallInbound<ServerCall>

  struct Iterator: AsyncIteratorProtocol {
    let inbound: CallInbound<ServerCall>

    func next() async throws -> Element? {
      try await inbound.next()
    }

    func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
      try await inbound.next()
    }
  }

  func makeAsyncIterator() -> Iterator {
    Iterator(inbound: inbound)
  }
}
