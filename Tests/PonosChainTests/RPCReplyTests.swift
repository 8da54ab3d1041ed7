import PonosCore
import Testing

@testable import PonosChain

@Suite("JSON-RPC replies")
struct RPCReplyTests {
  private func read(_ text: String, count: Int = 1) throws(RPCReply.Problem) -> RPCReply {
    try RPCReply(body: Array(text.utf8), count: count)
  }

  @Test("are sorted by id, whatever their order")
  func order() throws {
    let reply = try read(
      #"[{"jsonrpc":"2.0","id":1,"result":"0x2"},{"jsonrpc":"2.0","id":0,"result":"0x1"}]"#, count: 2)
    #expect(reply.answers == [.success(.string("0x1")), .success(.string("0x2"))])
    #expect(!reply.isIncomplete)
  }

  @Test("may lack answers, which shows")
  func missing() throws {
    #expect(try read(#"[{"jsonrpc":"2.0","id":1,"result":"0x2"}]"#, count: 2).isIncomplete)
    let refused = try read(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}"#, count: 2)
    #expect(refused.refusal?.code == -32600)
  }

  @Test(
    "that are none are told apart",
    arguments: [
      ("", RPCReply.Problem.notJSON), ("<html>", .notJSON), (#"{"jsonrpc":"2.0","id":0,"result":"0x"#, .notJSON),
      ("[1]", .notRPC), (#"{"id":0,"result":"0x"}"#, .notRPC), (#"{"jsonrpc":"2.0","id":0}"#, .notRPC),
      (#"{"jsonrpc":"2.0","id":7,"result":"0x"}"#, .wrongID), (#"{"jsonrpc":"2.0","id":"0","result":"0x"}"#, .wrongID),
      (#"{"jsonrpc":"2.0","id":null,"result":"0x"}"#, .wrongID),
      (#"[{"jsonrpc":"2.0","id":0,"result":"0x"},{"jsonrpc":"2.0","id":0,"result":"0x"}]"#, .wrongID),
    ])
  func problems(text: String, problem: RPCReply.Problem) {
    #expect(throws: problem) { try read(text) }
  }

  @Test(
    "with errors mean what the nodes that send them mean",
    arguments: [
      (3, "execution reverted", RPCValue.string("0xfdea7c09"), RPCVerdict.reverted([0xfd, 0xea, 0x7c, 0x09])),
      (-32000, "execution reverted", .string("0x"), .reverted([])),
      (-32015, "VM execution error", .string("Reverted 0xfdea7c09"), .reverted([0xfd, 0xea, 0x7c, 0x09])),
      (-32000, "execution reverted", nil, .reverted(nil)),
      (-32000, "header not found", nil, .blockUnknown), (-32000, "header for hash not found", nil, .blockUnknown),
      (-32001, "unknown block number", nil, .blockUnknown),
      (-32000, "hash 0x1 is not currently canonical", nil, .blockUnknown),
      (-32000, "missing trie node abc", nil, .statePruned), (-32000, "State at block 5 is pruned", nil, .statePruned),
      (-32801, "historical state not available", nil, .statePruned),
      (-32005, "daily request count exceeded", .object(["backoff_seconds": .number(30)]), .rateLimited(.seconds(30))),
      (429, "slow down", nil, .rateLimited(nil)), (-32016, "over rate limit", nil, .rateLimited(nil)),
      (-32601, "the method does not exist", nil, .unsupported), (-32600, "batch too large", nil, .invalid),
      (-32603, "internal error", nil, .failed),
    ] as [(Int, String, RPCValue?, RPCVerdict)])
  func verdicts(code: Int, message: String, data: RPCValue?, verdict: RPCVerdict) {
    #expect(RPCVerdict(RPCErrorObject(code: code, message: message, data: data)) == verdict)
  }

  @Test("carry numbers as 0x and hex digits")
  func quantities() {
    #expect(Quantity.decode("0x1b4") == 436)
    #expect(Quantity.decode("0xffffffffffffffff") == .max)
    for text in ["", "0x", "1b4", "0x-1", "0x+1", "0x1ffffffffffffffff", "0xg", "0X1"] { #expect(Quantity.decode(text) == nil) }
    #expect(Quantity.encode(436) == "0x1b4" && Quantity.encode(0) == "0x0")
  }
}

@Suite("Endpoint URLs")
struct EndpointURLTests {
  @Test("show their host and hide everything else")
  func redaction() throws {
    let url = try EndpointURL("https://user:hunter22@node.example:8545/v3/0123456789abcdef?apikey=topsecret#f")
    #expect("\(url)" == "node.example:8545" && url.host == "node.example:8545")
    var dump = ""
    Swift.dump(url, to: &dump)
    for secret in ["hunter22", "0123456789abcdef", "topsecret", "user"] {
      #expect(!dump.contains(secret) && !url.redact("invalid key \(secret) of you").contains(secret))
    }
    #expect(!url.url.contains("hunter22") && url.authorization == "Basic dXNlcjpodW50ZXIyMg==")
  }

  @Test(
    "that are none are refused without being repeated",
    arguments: [
      ("ws://node.example", EndpointURL.Problem.scheme), ("node.example:8545", .scheme), ("http://", .noHost),
      ("file:///etc/passwd", .scheme),
    ])
  func problems(text: String, problem: EndpointURL.Problem) {
    #expect(throws: problem) { try EndpointURL(text) }
  }
}
