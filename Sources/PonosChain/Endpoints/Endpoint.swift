import Synchronization

/// One endpoint: sends requests to it in batches that it takes.
final class Endpoint: Sendable {
  /// What most providers take. Geth takes 1,000, Erigon 100, some 20.
  private static let largestBatch = 50

  let url: EndpointURL
  private let exchange: HTTPExchange
  private let requestLimit: Duration
  private let observe: @Sendable (EndpointEvent) -> Void
  /// Requests in a batch; halved when the endpoint refuses one for its size.
  private let batchLimit = Mutex(largestBatch)

  init(
    url: EndpointURL, exchange: HTTPExchange, requestLimit: Duration, observe: @escaping @Sendable (EndpointEvent) -> Void
  ) {
    self.url = url
    self.exchange = exchange
    self.requestLimit = requestLimit
    self.observe = observe
  }

  /// The results of all requests in their order, or the first fault.
  func ask(_ requests: [RPCRequest]) async throws(ChainError) -> [RPCResult] {
    var results: [RPCResult] = []
    while results.count < requests.count {
      let limit = batchLimit.withLock { $0 }
      let batch = Array(requests[results.count...].prefix(limit))
      // Nothing means that the batch was too large, and the limit is smaller now.
      results += try await send(batch) ?? []
    }
    return results
  }

  /// The chain the endpoint says it is on.
  func chainID() async throws(ChainError) -> UInt64 {
    guard case .value(let value)? = try await ask([.chainID]).first, let id = value.text.flatMap(Quantity.decode) else {
      throw ChainError(.malformedResult, endpoint: url.host, call: RPCRequest.chainID.summary)
    }
    return id
  }

  /// nil when the batch was too large.
  private func send(_ batch: [RPCRequest]) async throws(ChainError) -> [RPCResult]? {
    let start = ContinuousClock.now
    do {
      let results = try await exchanged(batch)
      report(batch, since: start, failure: nil)
      return results
    } catch let error as ChainError {
      report(batch, since: start, failure: error.code)
      throw error
    } catch {
      report(batch, since: start, failure: .invalidRequest)
      batchLimit.withLock { $0 = max(1, min($0, batch.count) / 2) }
      return nil
    }
  }

  private func exchanged(_ batch: [RPCRequest]) async throws -> [RPCResult] {
    let calls = batch.enumerated().map { $1.json(id: $0) }
    // One request goes alone: some nodes know no batches.
    let body = calls.count == 1 ? calls[0] : "[\(calls.joined(separator: ","))]"
    let judgement = ReplyJudgement(url: url, requests: batch)
    let reply = try await exchange.post(body, to: url, limit: requestLimit, call: judgement.summary)
    return try judgement.results(of: reply)
  }

  private func report(_ batch: [RPCRequest], since start: ContinuousClock.Instant, failure: ChainError.Code?) {
    let time = (ContinuousClock.now - start) / .seconds(1)
    observe(.request(host: url.host, methods: batch.map(\.method), failure: failure, seconds: time))
  }
}
