import PonosCore

/// One call of the Ethereum JSON-RPC API, without its id.
package struct RPCRequest: Hashable, Sendable {
  /// The methods this client uses.
  package enum Method: String, Sendable, CaseIterable {
    case chainID = "eth_chainId"
    case syncing = "eth_syncing"
    case block = "eth_getBlockByNumber"
    case blockByHash = "eth_getBlockByHash"
    case call = "eth_call"
  }

  package let method: Method
  /// The parameters as JSON. Only hex digits and fixed words go in, so nothing has to be escaped.
  let parameters: String
  /// How errors name the call: the method, with the contract's function where there is one.
  package let summary: String
  /// For a contract call: refuses an answer that its function cannot give.
  let view: ViewCall?

  private init(_ method: Method, _ parameters: String, summary: String? = nil, view: ViewCall? = nil) {
    self.method = method
    self.parameters = parameters
    self.summary = summary ?? method.rawValue
    self.view = view
  }

  package static let chainID = RPCRequest(.chainID, "[]")
  package static let syncing = RPCRequest(.syncing, "[]")
  /// The newest block's header.
  package static let head = RPCRequest(.block, #"["latest",false]"#)

  /// The header of the block `number` of the chain as the node sees it.
  package static func block(number: UInt64) -> RPCRequest {
    RPCRequest(.block, #"["\#(Quantity.encode(number))",false]"#)
  }

  /// The header of the block `hash`.
  package static func block(hash: Digest32) -> RPCRequest {
    RPCRequest(.blockByHash, #"["\#(hash)",false]"#)
  }

  /// A call of a view function on the state after `block`.
  package static func call(_ view: ViewCall, at block: BlockPin) -> RPCRequest {
    let input = #"{"to":"\#(view.contract)","data":"\#(Hex.encodePrefixed(view.data))"}"#
    return RPCRequest(.call, "[\(input),\(block.json)]", summary: "eth_call \(view.name)", view: view)
  }

  /// The request as it goes over the line.
  func json(id: Int) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method.rawValue)","params":\#(parameters)}"#
  }
}

/// The state a call reads.
package enum BlockPin: Hashable, Sendable {
  /// The newest block the node has.
  case latest
  /// The block with this hash, as long as it is part of the chain (EIP-1898).
  case hash(Digest32)

  fileprivate var json: String {
    switch self {
    case .latest: #""latest""#
    case .hash(let hash): #"{"blockHash":"\#(hash)","requireCanonical":true}"#
    }
  }
}
