import NIOCore
import PonosCore
import PonosTesting
import Synchronization

@testable import PonosChain

/// An Ethereum node of a chain that is made up, on a port of loopback; it misbehaves as told.
final class ScriptedNode: Sendable {
  typealias Step = ScriptedSocketServer.Step

  struct State: Sendable {
    var chainID: UInt64 = 31337
    /// Ascending, the last one is the head.
    var blocks: [BlockHeader] = (1...20).map { TestBlocks.block($0) }
    /// Which addresses logged in a block, by its hash.
    var touched: [Digest32: [EthereumAddress]] = [:]
    /// Answers calls on the state after a block: the hex of what is returned; nil for an error of the node.
    var answer: @Sendable (_ data: [UInt8], _ block: BlockHeader) -> String? = { data, _ in Hex.encodePrefixed(data) }
    /// Instead of an answer, for requests with one of these methods.
    var fault: (@Sendable (_ methods: [String]) -> [Step]?)?
    /// Methods of each HTTP request.
    var seen: [[String]] = []
  }

  let state = Mutex(State())

  /// The methods of each HTTP request so far.
  var requests: [[String]] { state.withLock { $0.seen } }

  /// HTTP requests that had this method in it.
  func count(of method: String) -> Int { requests.filter { $0.contains(method) }.count }

  /// Appends a block in which `addresses` logged.
  func mine(touching addresses: [EthereumAddress] = []) {
    state.withLock { state in
      let block = TestBlocks.block((state.blocks.last?.number ?? 0) + 1)
      state.blocks.append(block)
      state.touched[block.hash] = addresses
    }
  }

  /// Replaces the blocks after `fork` by `count` others.
  func reorganise(after fork: UInt64, count: UInt64, branch: UInt8 = 1) {
    state.withLock { state in
      state.blocks.removeAll { $0.number > fork }
      for number in (fork + 1)...(fork + count) { state.blocks.append(TestBlocks.block(number, branch: branch, fork: fork)) }
    }
  }

  /// Every request fails as `steps` say from now on; nil ends it.
  func fail(_ steps: [Step]?) {
    state.withLock { state in
      if let steps { state.fault = { _ in steps } } else { state.fault = nil }
    }
  }

  /// Runs nodes, and hands over a pool of them with what it tells.
  static func run<Value: Sendable>(
    _ count: Int = 1, settings: EndpointPool.Settings = .quick,
    _ body: @Sendable ([ScriptedNode], EndpointPool, Collected<EndpointEvent>) async throws -> Value
  ) async throws -> Value {
    try await run(nodes: (0..<count).map { _ in ScriptedNode() }, urls: [], settings: settings, body)
  }

  private static func run<Value: Sendable>(
    nodes: [ScriptedNode], urls: [EndpointURL], settings: EndpointPool.Settings,
    _ body: @Sendable ([ScriptedNode], EndpointPool, Collected<EndpointEvent>) async throws -> Value
  ) async throws -> Value {
    guard urls.count < nodes.count else {
      let events = Collected<EndpointEvent>()
      return try await body(nodes, EndpointPool(urls: urls, settings: settings) { events.append($0) }, events)
    }
    let node = nodes[urls.count]
    return try await ScriptedSocketServer.runOnLoopback(script: { node.script($0) }) { _, port in
      let url = try EndpointURL("http://127.0.0.1:\(port)/secret-of-the-test")
      return try await run(nodes: nodes, urls: urls + [url], settings: settings, body)
    }
  }

  private func script(_ request: ScriptedSocketServer.Request) -> [Step] {
    let body = RPCValue(json: request.body.readableBytesView)
    let entries: [RPCValue] = if case .array(let entries)? = body { entries } else { [body ?? .null] }
    let methods = entries.map { $0["method"]?.text ?? "" }
    return state.withLock { state in
      state.seen.append(methods)
      if let steps = state.fault?(methods) { return steps }
      let answers = entries.map { state.reply(to: $0) }
      if case .array? = body { return .reply(200, "[\(answers.joined(separator: ","))]") }
      return .reply(200, answers[0])
    }
  }
}

extension EndpointPool.Settings {
  /// Short enough for tests.
  static var quick: EndpointPool.Settings {
    var settings = EndpointPool.Settings(chainID: 31337)
    settings.requestLimit = .milliseconds(400)
    settings.totalLimit = .seconds(2)
    settings.hedgeDelay = .milliseconds(100)
    return settings
  }
}

extension ScriptedNode.State {
  fileprivate func reply(to request: RPCValue) -> String {
    let id = request["id"]?.integer ?? -1
    return #"{"jsonrpc":"2.0","id":\#(id),\#(result(of: request))}"#
  }

  private func result(of request: RPCValue) -> String {
    guard case .array(let parameters)? = request["params"] else { return Self.error(-32602, "no params") }
    switch request["method"]?.text {
    case "eth_chainId": return #""result":"\#(Quantity.encode(chainID))""#
    case "eth_syncing": return #""result":false"#
    case "eth_getBlockByNumber":
      guard parameters[0] != .string("latest") else { return "\"result\":\(json(blocks.last))" }
      let number = parameters[0].text.flatMap(Quantity.decode)
      return "\"result\":\(json(blocks.first { $0.number == number }))"
    case "eth_getBlockByHash": return "\"result\":\(json(blocks.first { $0.hash.description == parameters[0].text }))"
    case "eth_call":
      let hash = parameters[1]["blockHash"]?.text
      guard let block = blocks.first(where: { $0.hash.description == hash }) else { return Self.error(-32000, "header not found") }
      guard let data = parameters[0]["data"]?.text.flatMap({ Hex.decode($0) }), let hex = answer(data, block) else {
        return Self.error(-32603, "internal error")
      }
      return #""result":"\#(hex)""#
    default: return Self.error(-32601, "the method does not exist")
    }
  }

  private func json(_ block: BlockHeader?) -> String {
    guard let block else { return "null" }
    let touched = touched[block.hash] ?? []
    return #"{"number":"\#(Quantity.encode(block.number))","hash":"\#(block.hash)","parentHash":"\#(block.parentHash)","#
      + #""timestamp":"\#(Quantity.encode(block.timestamp))","logsBloom":"\#(TestBlocks.bloom(touched))","#
      + #""transactions":[\#(touched.isEmpty ? "" : "\"0x01\"")]}"#
  }

  static func error(_ code: Int, _ message: String) -> String {
    #""error":{"code":\#(code),"message":"\#(message)"}"#
  }
}
