/// An endpoint gave no answer that can be used, or none of them did.
package struct ChainError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable, CaseIterable {
    /// No connection: wrong host, nothing listens, or the certificate is not trusted.
    case unreachable = "rpc_unreachable"
    /// No complete answer within the deadline.
    case timedOut = "rpc_timed_out"
    /// The connection broke, or the body ended, in the middle of the answer.
    case truncated = "rpc_truncated"
    /// More bytes than this client reads.
    case tooLarge = "rpc_too_large"
    /// Too many requests (429, -32005).
    case rateLimited = "rpc_rate_limited"
    /// The plan is used up (402).
    case quotaExhausted = "rpc_quota_exhausted"
    /// The credentials are missing or wrong (401, 403).
    case unauthorized = "rpc_unauthorized"
    /// The endpoint points elsewhere; redirects are not followed, as credentials must not go to another host.
    case redirected = "rpc_redirected"
    /// Another HTTP status that means failure.
    case httpStatus = "rpc_http_status"
    /// The body is no JSON: a page of a proxy, half a body.
    case notJSON = "rpc_not_json"
    /// The body is JSON, but no JSON-RPC response.
    case notRPC = "rpc_not_rpc"
    /// An answer to something that was not asked.
    case wrongID = "rpc_wrong_id"
    /// Answers are missing from a batch that is small enough.
    case incomplete = "rpc_incomplete"
    /// null, or a value of another type than the method gives.
    case malformedResult = "rpc_malformed_result"
    /// A contract's answer that its function cannot give.
    case malformedAnswer = "rpc_malformed_answer"
    /// The node does not offer the method.
    case unsupported = "rpc_unsupported"
    /// The node calls the request invalid.
    case invalidRequest = "rpc_invalid_request"
    /// Another error of the node.
    case nodeFailed = "rpc_node_failed"
    /// The node does not have the block, or not in its chain.
    case blockUnknown = "rpc_block_unknown"
    /// The node keeps no state of that age.
    case statePruned = "rpc_state_pruned"
    /// The endpoint is on another chain. It is never read from.
    case wrongChain = "rpc_wrong_chain"
    /// The node is still catching up.
    case syncing = "rpc_syncing"
    /// Endpoints answered differently.
    case disagreement = "rpc_disagreement"
    /// Fewer endpoints answered than have to agree.
    case tooFewAnswers = "rpc_too_few_answers"
    /// Every endpoint rests after a failure or a limit.
    case noEndpoint = "rpc_no_endpoint"
    /// The caller was cancelled.
    case cancelled = "rpc_cancelled"
  }

  package let code: Code
  /// Host, and port where one is written; several for a disagreement. Never the URL, which may carry a key.
  package let endpoint: String
  /// Method, and the contract's function where there is one.
  package let call: String
  /// What the endpoint or the system said; nil when nothing.
  package let cause: String?
  /// When the endpoint wants to be asked again; nil when it did not say.
  package let retryAfter: Duration?

  package init(_ code: Code, endpoint: String, call: String, cause: String? = nil, retryAfter: Duration? = nil) {
    self.code = code
    self.endpoint = endpoint
    self.call = call
    self.cause = cause
    self.retryAfter = retryAfter
  }

  package var description: String {
    "\(endpoint) \(code.problem) (\(call))\(cause.map { ": \($0)" } ?? ""). \(code.cure) [\(code.rawValue)]"
  }

  /// Whether the endpoint is not to be asked for a while. Others are the fault of one question, or of nobody.
  package var isFaultOfEndpoint: Bool {
    switch code {
    case .blockUnknown, .statePruned, .disagreement, .tooFewAnswers, .noEndpoint, .cancelled, .malformedAnswer, .unsupported:
      false
    default: true
    }
  }
}

extension ChainError.Code {
  /// What the endpoint did, as the middle of a sentence.
  fileprivate var problem: String {
    switch self {
    case .unreachable: "cannot be reached"
    case .timedOut: "did not answer in time"
    case .truncated: "broke off its answer"
    case .tooLarge: "sent more than is read"
    case .rateLimited: "limits the rate of requests"
    case .quotaExhausted: "says that the plan is used up"
    case .unauthorized: "refuses the credentials"
    case .redirected: "redirects to another place"
    case .httpStatus: "answered with an HTTP error"
    case .notJSON: "answered something that is no JSON"
    case .notRPC: "answered something that is no JSON-RPC response"
    case .wrongID: "answered what was not asked"
    case .incomplete: "left out answers"
    case .malformedResult: "gave a result of a wrong type"
    case .malformedAnswer: "gave an answer that the contract cannot have given"
    case .unsupported: "does not offer the method"
    case .invalidRequest: "calls the request invalid"
    case .nodeFailed: "answered with an error"
    case .blockUnknown: "does not have the block"
    case .statePruned: "has no state of that block any more"
    case .wrongChain: "is on another chain"
    case .syncing: "is still catching up with the chain"
    case .disagreement: "do not answer the same"
    case .tooFewAnswers: "did not all answer"
    case .noEndpoint: "is not asked at the moment"
    case .cancelled: "was not waited for"
    }
  }

  /// What the operator can do.
  fileprivate var cure: String {
    switch self {
    case .unreachable: "Check the URL, the network, and caFile for a private CA"
    case .timedOut, .truncated, .nodeFailed, .httpStatus:
      "Look at the node or the provider's status page, and configure a second endpoint"
    case .tooLarge, .notJSON, .notRPC, .wrongID, .incomplete, .malformedResult, .malformedAnswer:
      "Check that the URL is a JSON-RPC endpoint of an Ethereum node"
    case .rateLimited: "Take a larger plan, or configure another endpoint"
    case .quotaExhausted: "Renew the plan, or configure another endpoint"
    case .unauthorized: "Check the key in the URL"
    case .redirected: "Configure the URL it redirects to"
    case .unsupported, .invalidRequest: "Use a node that serves eth_call with a block hash (EIP-1898)"
    case .blockUnknown: "The node may lag; it is asked again"
    case .statePruned: "Configure an endpoint with an archive node"
    case .wrongChain: "Set l1Chain.chainId and the endpoint to the same chain"
    case .syncing: "Wait until the node has caught up, or configure another endpoint"
    case .disagreement: "Find out which of them is wrong, and take it out of the configuration"
    case .tooFewAnswers: "Configure more endpoints, or a lower l1Chain.agreement"
    case .noEndpoint: "It is asked again after a pause"
    case .cancelled: "Nothing is wrong"
    }
  }
}
