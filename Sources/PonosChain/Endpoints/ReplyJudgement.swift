import PonosCore

/// What one request brought. Refusals of contracts are results as well.
package enum RPCResult: Hashable, Sendable {
  case value(RPCValue)
  case call(CallOutcome)
  case header(BlockHeader)

  /// An answer that a node also gives for a state it lacks.
  var isDoubtful: Bool { self == .call(.returned([])) }
}

/// Decides what a reply of an endpoint is worth. Without I/O: all it needs is what was asked and what came.
struct ReplyJudgement: Sendable {
  let url: EndpointURL
  let requests: [RPCRequest]

  /// What one request brought. Refusals of contracts are results as well.
  typealias Result = RPCResult

  /// The endpoint takes smaller batches only.
  struct BatchTooLarge: Error {}

  /// All results in order, or the first fault. Throws `BatchTooLarge` when the same requests may work in smaller batches.
  func results(of reply: HTTPExchange.Reply) throws -> [Result] {
    if let fault = statusFault(of: reply) { throw fault }
    let answers = try sorted(reply)
    return try zip(requests, answers).map { request, answer in try result(of: request, answer) }
  }

  // MARK: HTTP

  private func statusFault(of reply: HTTPExchange.Reply) -> (any Error)? {
    switch reply.status {
    case 200..<300: return nil
    case 300..<400: return error(.redirected, cause: "status \(reply.status)")
    case 401, 403: return error(.unauthorized, cause: "status \(reply.status)")
    case 402: return error(.quotaExhausted, cause: "status 402")
    case 413 where requests.count > 1: return BatchTooLarge()
    case 429: return error(.rateLimited, cause: "status 429", retryAfter: reply.retryAfter ?? pause(in: reply.body))
    default:
      // Some nodes send proper JSON-RPC errors with such a status.
      return isRPC(reply.body) ? nil : error(.httpStatus, cause: "status \(reply.status)", retryAfter: reply.retryAfter)
    }
  }

  private func isRPC(_ body: [UInt8]) -> Bool {
    do { return try RPCReply(body: body, count: requests.count).answers.isEmpty == false } catch { return false }
  }

  private func pause(in body: [UInt8]) -> Duration? {
    guard let error = RPCValue(json: body)?["error"], let code = error["code"]?.integer else { return nil }
    let verdict = RPCVerdict(RPCErrorObject(code: code, message: error["message"]?.text ?? "", data: error["data"]))
    return if case .rateLimited(let pause) = verdict { pause } else { nil }
  }

  // MARK: JSON-RPC

  /// An answer for each request.
  private func sorted(_ reply: HTTPExchange.Reply) throws -> [RPCAnswer] {
    let sorted: RPCReply
    do throws(RPCReply.Problem) {
      sorted = try RPCReply(body: reply.body, count: requests.count)
    } catch {
      let code: ChainError.Code =
        switch error {
        case .notJSON: .notJSON
        case .notRPC: .notRPC
        case .wrongID: .wrongID
        }
      throw self.error(code, cause: reply.body.isEmpty ? "the body is empty" : nil)
    }
    let answers = sorted.answers.compactMap { $0 }
    if answers.count == requests.count { return answers }
    throw incompleteness(of: sorted)
  }

  /// Whether less at a time may help: Erigon answers one error without an id, geth one for the first id only.
  private func incompleteness(of reply: RPCReply) -> any Error {
    var refusal = reply.refusal
    if refusal == nil, case .failure(let error)?? = reply.answers.first { refusal = error }
    if let refusal, case let verdict = RPCVerdict(refusal), verdict != .invalid {
      if let fault = fault(verdict, refusal, call: summary), fault.code != .nodeFailed { return fault }
    }
    if requests.count > 1 { return BatchTooLarge() }
    return error(refusal == nil ? .incomplete : .invalidRequest, cause: refusal?.message)
  }

  private func result(of request: RPCRequest, _ answer: RPCAnswer) throws -> Result {
    switch answer {
    case .success(let value): return try result(of: request, value)
    case .failure(let object):
      let verdict = RPCVerdict(object)
      if case .reverted(let data) = verdict, request.method == .call { return .call(.reverted(data)) }
      throw fault(verdict, object, call: request.summary) ?? error(.nodeFailed, call: request.summary, cause: object.message)
    }
  }

  /// nil for a revert, which is no fault.
  private func fault(_ verdict: RPCVerdict, _ object: RPCErrorObject, call: String) -> ChainError? {
    let cause = "\(object.message) (code \(object.code))"
    switch verdict {
    case .reverted: return nil
    case .blockUnknown: return error(.blockUnknown, call: call, cause: cause)
    case .statePruned: return error(.statePruned, call: call, cause: cause)
    case .rateLimited(let pause): return error(.rateLimited, call: call, cause: cause, retryAfter: pause)
    case .unsupported: return error(.unsupported, call: call, cause: cause)
    case .invalid: return error(.invalidRequest, call: call, cause: cause)
    case .failed: return error(.nodeFailed, call: call, cause: cause)
    }
  }

  private func result(of request: RPCRequest, _ value: RPCValue) throws -> Result {
    switch request.method {
    case .chainID:
      guard let text = value.text, Quantity.decode(text) != nil else { throw malformed(request) }
      return .value(value)
    case .syncing:
      return .value(value)
    case .block, .blockByHash:
      if value == .null { throw error(.blockUnknown, call: request.summary) }
      guard let header = BlockHeader(value) else { throw malformed(request) }
      return .header(header)
    case .call:
      guard let text = value.text, text.hasPrefix("0x"), let bytes = Hex.decode(text) else { throw malformed(request) }
      // No bytes at all are judged by whoever compares endpoints: the contract may really not be there.
      guard bytes.isEmpty || request.view?.accepts(bytes) != false else { throw error(.malformedAnswer, call: request.summary) }
      return .call(.returned(bytes))
    }
  }

  private func malformed(_ request: RPCRequest) -> ChainError { error(.malformedResult, call: request.summary) }

  var summary: String { Self.summary(of: requests) }

  /// How errors name several requests.
  static func summary(of requests: [RPCRequest]) -> String {
    guard let first = requests.first else { return "nothing" }
    return requests.count == 1 ? first.summary : "\(first.summary) and \(requests.count - 1) more"
  }

  private func error(
    _ code: ChainError.Code, call: String? = nil, cause: String? = nil, retryAfter: Duration? = nil
  ) -> ChainError {
    ChainError(
      code, endpoint: url.host, call: call ?? summary, cause: cause.map { url.redact($0) }, retryAfter: retryAfter)
  }
}
