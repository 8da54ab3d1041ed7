import PonosCore
import PonosTesting
import Synchronization
import Testing

@testable import PonosChain

@Suite("A pool of endpoints", .serialized)
struct EndpointPoolTests {
  private typealias Step = ScriptedSocketServer.Step

  private func chainError(_ body: () async throws(ChainError) -> [RPCResult]) async -> ChainError? {
    do throws(ChainError) {
      _ = try await body()
      return nil
    } catch {
      return error
    }
  }

  private static let faults: [(String, [Step], ChainError.Code)] = [
    ("hangs", [.hang], .timedOut),
    ("hangs in the body", [.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), .hang], .timedOut),
    ("cuts its answer", [.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"jsonrpc\"")], .truncated),
    ("says nothing", [], .truncated),
    ("fails", .reply(500, "oops"), .httpStatus), ("is gone behind its proxy", .reply(502, "<html>bad gateway</html>"), .httpStatus),
    ("answers a page", .reply(200, "<html>welcome</html>"), .notJSON), ("answers nothing", .reply(200, ""), .notJSON),
    ("answers half a body", .reply(200, #"{"jsonrpc":"2.0","id":0,"resul"#), .notJSON),
    ("answers other JSON", .reply(200, #"{"hello":1}"#), .notRPC),
    ("answers another id", .reply(200, #"{"jsonrpc":"2.0","id":9,"result":"0x1"}"#), .wrongID),
    ("limits rates", .reply(429, "slow down", headers: "Retry-After: 7\r\n"), .rateLimited),
    ("limits rates in JSON", .reply(200, #"{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"limit"}}"#), .rateLimited),
    ("wants money", .reply(402, ""), .quotaExhausted), ("wants other credentials", .reply(401, ""), .unauthorized),
    ("redirects", .reply(302, "", headers: "Location: http://127.0.0.1:1/\r\n"), .redirected),
    ("answers null", .reply(200, #"{"jsonrpc":"2.0","id":0,"result":null}"#), .malformedResult),
    ("answers a number", .reply(200, #"{"jsonrpc":"2.0","id":0,"result":17}"#), .malformedResult),
    ("speaks no HTTP", [.send("SSH-2.0-OpenSSH\r\n\r\n")], .notRPC),
    (
      "never ends",
      [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .repeated("1000\r\n\(String(repeating: "a", count: 4096))\r\n", times: 1_000)],
      .tooLarge
    ),
  ]

  @Test("that is one bad endpoint says what is wrong with it, and nothing of its URL", arguments: faults.map(\.0))
  func fault(name: String) async throws {
    let (_, steps, code) = try #require(Self.faults.first { $0.0 == name })
    try await ScriptedNode.run { nodes, pool, _ in
      nodes[0].fail(steps)
      let error = try #require(await chainError { () throws(ChainError) in try await pool.read([.head]) })
      #expect(error.code == code)
      #expect(!error.description.contains("secret-of-the-test") && error.description.contains(pool.hosts[0]))
      #expect(error.description.contains("eth_") && error.description.contains(code.rawValue))
      if name == "limits rates" { #expect(error.retryAfter == .seconds(7)) }
    }
  }

  @Test("asks the next one when the first fails, without anybody noticing", arguments: faults.map(\.0))
  func failOver(name: String) async throws {
    let (_, steps, _) = try #require(Self.faults.first { $0.0 == name })
    try await ScriptedNode.run(2) { nodes, pool, _ in
      nodes[0].fail(steps)
      let start = ContinuousClock.now
      let answer = try await pool.read([.head])
      #expect(answer == [.header(TestBlocks.block(20))])
      #expect(ContinuousClock.now - start < .seconds(1))
    }
  }

  @Test("uses an endpoint again that recovered, after checking its chain")
  func recovery() async throws {
    try await ScriptedNode.run(2) { nodes, pool, events in
      nodes[0].fail(.reply(500, ""))
      _ = try await pool.read([.head])
      nodes[0].fail(nil)
      try await eventually {
        _ = try await pool.read([.head])
        return pool.snapshots()[0].phase == .serving
      }
      #expect(nodes[0].count(of: "eth_chainId") >= 2)
      #expect(events.values.contains(.up(host: pool.hosts[0])))
    }
  }

  @Test("never reads from another chain")
  func wrongChain() async throws {
    try await ScriptedNode.run(2) { nodes, pool, _ in
      nodes[0].state.withLock { $0.chainID = 1 }
      for _ in 0..<3 { _ = try await pool.read([.head]) }
      #expect(nodes[0].count(of: "eth_chainId") == 1 && nodes[0].count(of: "eth_getBlockByNumber") == 0)
      guard case .wrongChain(1, _) = pool.snapshots()[0].phase else { return #expect(Bool(false), "it is on chain 1") }
      #expect(pool.snapshots()[0].lastError?.description.contains("31337") == true)
    }
  }

  @Test("asks the next one as well when an answer is late")
  func hedging() async throws {
    try await ScriptedNode.run(2) { nodes, pool, _ in
      _ = try await pool.read([.head])
      nodes[0].fail([.wait(.milliseconds(350))] + .reply(200, ""))
      let start = ContinuousClock.now
      _ = try await pool.read([.head])
      #expect(ContinuousClock.now - start < .milliseconds(300))
      #expect(nodes[1].count(of: "eth_getBlockByNumber") == 1)
    }
  }

  @Test("splits batches by what an endpoint takes, and remembers it")
  func batches() async throws {
    try await ScriptedNode.run { nodes, pool, _ in
      let refusal = #"[{"jsonrpc":"2.0","id":0,"error":{"code":-32600,"message":"batch too large"}}]"#
      nodes[0].state.withLock { $0.fault = { $0.count > 20 ? .reply(200, refusal) : nil } }
      let requests = (1...20).flatMap { [RPCRequest.block(number: $0), .block(number: $0)] }
      let first = try await pool.read(requests)
      #expect(first.count == 40)
      let batches = nodes[0].requests.filter { $0.contains("eth_getBlockByNumber") }.map(\.count)
      #expect(batches == [40, 20, 20])
      let again = try await pool.read(requests)
      #expect(again.count == 40)
      #expect(nodes[0].requests.suffix(2).map(\.count) == [20, 20])
    }
  }

  @Test("with an agreement names those that disagree and believes none of them")
  func disagreement() async throws {
    try await ScriptedNode.run(2) { nodes, pool, events in
      let call = ViewCall(contract: TestBlocks.address(1), data: [1, 2, 3, 4], name: "T.f")
      let request = RPCRequest.call(call, at: .hash(TestBlocks.block(20).hash))
      let agreed = try await pool.read([request], needed: 2)
      #expect(agreed == [.call(.returned([1, 2, 3, 4]))])
      nodes[1].state.withLock { $0.answer = { _, _ in "0x09" } }
      let error = try #require(await chainError { () throws(ChainError) in try await pool.read([request], needed: 2) })
      #expect(error.code == .disagreement)
      #expect(events.values.contains(.disagreement([[pool.hosts[0]], [pool.hosts[1]]], call: "eth_call T.f")))
    }
  }

  @Test("asks another one about a state that an endpoint lacks, and doubts an empty answer")
  func missingState() async throws {
    try await ScriptedNode.run(2) { nodes, pool, _ in
      let call = ViewCall(contract: TestBlocks.address(1), data: [1, 2, 3, 4], name: "T.f")
      let request = RPCRequest.call(call, at: .hash(TestBlocks.block(20).hash))
      nodes[0].state.withLock { $0.answer = { _, _ in "0x" } }
      let doubted = try await pool.read([request])
      #expect(doubted == [.call(.returned([1, 2, 3, 4]))])
      nodes[0].state.withLock { $0.blocks.removeAll { $0.number == 20 } }
      let missed = try await pool.read([request])
      #expect(missed == [.call(.returned([1, 2, 3, 4]))])
      #expect(pool.snapshots()[0].phase == .serving)
    }
  }

  @Test("skips an answer that the contract cannot have given")
  func implausible() async throws {
    try await ScriptedNode.run(2) { nodes, pool, _ in
      let set = OperatorSet(avs: TestBlocks.address(2), id: 1)
      let call = AllocationManager(address: TestBlocks.address(1)).isMember(TestBlocks.address(3), of: set)
      nodes[0].state.withLock { $0.answer = { _, _ in "0x02" } }
      let yes = "0x" + String(repeating: "0", count: 63) + "1"
      nodes[1].state.withLock { $0.answer = { _, _ in yes } }
      let results = try await pool.read([.call(call.view, at: .hash(TestBlocks.block(20).hash))])
      guard case .call(let outcome)? = results.first else { return #expect(Bool(false), "no outcome") }
      #expect(try call.answer(outcome))
    }
  }

  @Test("that cannot be reached at all says so at once")
  func unreachable() async throws {
    let url = try EndpointURL("http://127.0.0.1:1/secret-of-the-test")
    let pool = EndpointPool(urls: [url], settings: .quick)
    let error = try #require(await chainError { () throws(ChainError) in try await pool.read([.head]) })
    #expect(error.code == .unreachable && !error.description.contains("secret"))
  }
}
