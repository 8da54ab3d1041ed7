/// Reads the parts of a response, for its caller.
struct ResponsePartSequence: AsyncSequence, Sendable {
  typealias Element = ClientCall.Part
  typealias Failure = any Error

  let inbound: CallInbound<ClientCall>

  struct Iterator: AsyncIteratorProtocol {
    let inbound: CallInbound<ClientCall>

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
