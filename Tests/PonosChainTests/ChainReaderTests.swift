import PonosCore
import PonosTesting
import Synchronization
import Testing

@testable import PonosChain

@Suite("Reading a chain", .serialized)
struct ChainReaderTests {
  private static let contract = TestBlocks.address(1)

  /// A call that the scripted nodes answer with the number of the block it reads.
  private static func number(_ argument: UInt8 = 0) -> ContractCall<UInt64> {
    ContractCall(ViewCall(contract: contract, data: [0, 0, 0, 1, argument], name: "T.number")) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      return try reader.number()
    }
  }

  private static func run(
    _ count: Int = 1, agreement: Int = 1, _ body: @Sendable ([ScriptedNode], ChainReader) async throws -> Void
  ) async throws {
    try await ScriptedNode.run(count) { nodes, pool, _ in
      for node in nodes {
        node.state.withLock { state in
          state.answer = { _, block in "0x" + String(repeating: "0", count: 48) + Self.hex16(block.number) }
        }
      }
      let reader = ChainReader(pool: pool, agreement: agreement)
      try await reader.advance()
      try await body(nodes, reader)
    }
  }

  private static func hex16(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func read(_ reader: ChainReader, at number: UInt64? = nil, _ argument: UInt8 = 0) async throws -> UInt64 {
    let header =
      if let number { try await reader.header(at: number) } else { try #require(reader.head) }
    return try await reader.decide(at: header) { (lookup) throws(ContractError) in
      try lookup.answer(Self.number(argument))
    }
  }

  @Test("asks nothing twice while the contract logs nothing")
  func epochs() async throws {
    try await Self.run { nodes, reader in
      #expect(try await Self.read(reader) == 20)
      let before = nodes[0].count(of: "eth_call")
      for number in 21...30 {
        nodes[0].mine()
        try await reader.advance()
        // What was read at block 20 is known to hold still.
        #expect(try await Self.read(reader, at: UInt64(number)) == 20)
      }
      #expect(nodes[0].count(of: "eth_call") == before)
      nodes[0].mine(touching: [Self.contract])
      try await reader.advance()
      #expect(try await Self.read(reader) == 31)
      #expect(try await Self.read(reader, at: 30) == 20)
      #expect(nodes[0].count(of: "eth_call") == before + 1)
    }
  }

  @Test("shares a request between all who need it")
  func sharing() async throws {
    try await Self.run { nodes, reader in
      let before = nodes[0].requests.count
      try await withThrowingTaskGroup(of: UInt64.self) { group in
        for _ in 0..<50 { group.addTask { try await Self.read(reader) } }
        for try await number in group { #expect(number == 20) }
      }
      #expect(nodes[0].requests.count == before + 1)
    }
  }

  @Test("goes on when the one who asked first is cancelled")
  func cancellation() async throws {
    try await Self.run { nodes, reader in
      nodes[0].state.withLock { $0.fault = { _ in [.wait(.milliseconds(100)), .hang] } }
      try await withThrowingTaskGroup(of: UInt64?.self) { group in
        let first = Task { try await Self.read(reader) }
        try await eventually { nodes[0].requests.last == ["eth_call"] }
        group.addTask { try await Self.read(reader) }
        nodes[0].fail(nil)
        first.cancel()
        for try await number in group { #expect(number == 20) }
        await #expect(throws: ReadError.self) { try await first.value }
      }
    }
  }

  @Test("reads again in one request what a block may have changed")
  func refresh() async throws {
    try await Self.run { nodes, reader in
      for argument in UInt8(0)..<5 { _ = try await Self.read(reader, argument) }
      let before = nodes[0].count(of: "eth_call")
      nodes[0].mine(touching: [Self.contract])
      try await reader.advance()
      try await reader.refresh()
      for argument in UInt8(0)..<5 { #expect(try await Self.read(reader, argument) == 21) }
      #expect(nodes[0].count(of: "eth_call") == before + 1)
    }
  }

  @Test("forgets what a reorganisation removed, and only that")
  func reorganisation() async throws {
    try await Self.run { nodes, reader in
      nodes[0].mine(touching: [Self.contract])
      nodes[0].mine()
      try await reader.advance()
      #expect(try await Self.read(reader) == 22)
      #expect(try await Self.read(reader, at: 20) == 20)
      let stale = try #require(reader.head)
      nodes[0].reorganise(after: 20, count: 4)
      try await reader.advance()
      #expect(reader.head?.number == 24 && reader.figures.reorganisations == 1)
      // Block 21 logged nothing on the new branch.
      #expect(try await Self.read(reader) == 20)
      await #expect(throws: ReadError.self) {
        try await reader.decide(at: stale) { (lookup) throws(ContractError) in try lookup.answer(Self.number(9)) }
      }
    }
  }

  @Test("follows a chain that got shorter by a block")
  func shorter() async throws {
    try await Self.run { nodes, reader in
      nodes[0].reorganise(after: 18, count: 1)
      try await reader.advance()
      #expect(reader.head == TestBlocks.block(19, branch: 1, fork: 18))
    }
  }

  @Test("is not led back by a node that lags behind the others")
  func lag() async throws {
    try await Self.run { nodes, reader in
      nodes[0].state.withLock { $0.blocks.removeLast(3) }
      try await reader.advance()
      #expect(reader.head?.number == 20)
    }
  }

  @Test("catches up over a gap, and begins anew over a long one", arguments: [(30, 0), (300, 1)])
  func gap(blocks: Int, reorganisations: Int) async throws {
    try await Self.run { nodes, reader in
      #expect(try await Self.read(reader) == 20)
      for _ in 0..<blocks { nodes[0].mine() }
      try await reader.advance()
      #expect(reader.head?.number == UInt64(20 + blocks) && reader.figures.reorganisations == reorganisations)
    }
  }

  @Test("reads old blocks by their hash, once")
  func oldBlocks() async throws {
    try await Self.run { nodes, reader in
      let first = try await Self.read(reader, at: 2)
      let before = nodes[0].requests.count
      let second = try await Self.read(reader, at: 2)
      #expect(first == 2 && second == 2)
      #expect(nodes[0].requests.count == before)
    }
  }

  @Test("waits for a block that is not there yet, and asks the others for it")
  func newBlock() async throws {
    try await Self.run(2) { (nodes, reader) async throws -> Void in
      nodes[1].mine()
      #expect(try await Self.read(reader, at: 21) == 21)
      try await withThrowingTaskGroup(of: UInt64.self) { group in
        group.addTask { try await reader.header(at: 22).number }
        try await eventually { nodes[0].count(of: "eth_getBlockByNumber") > 3 }
        for node in nodes { node.mine() }
        nodes[0].mine()
        for try await number in group { #expect(number == 22) }
      }
      let far = await #expect(throws: ChainError.self) { try await reader.header(at: 1_000) }
      #expect(far?.code == .blockUnknown)
    }
  }

  @Test("with an agreement follows the block that enough endpoints have")
  func agreement() async throws {
    try await Self.run(2, agreement: 2) { nodes, reader in
      nodes[0].mine()
      try await reader.advance()
      #expect(reader.head?.number == 20)
      #expect(try await Self.read(reader) == 20)
      nodes[1].mine()
      try await reader.advance()
      #expect(reader.head?.number == 21)
    }
  }

  @Test("survives an outage with what it knows")
  func outage() async throws {
    try await Self.run { nodes, reader in
      #expect(try await Self.read(reader) == 20)
      nodes[0].fail(.reply(500, ""))
      await #expect(throws: ChainError.self) { try await reader.advance() }
      #expect(try await Self.read(reader) == 20)
      #expect(reader.headStatus.lastError?.code == .httpStatus)
      await #expect(throws: ReadError.self) { try await Self.read(reader, 7) }
      nodes[0].fail(nil)
      nodes[0].mine()
      try await eventually {
        do { return try await reader.advance() } catch { return false }
      }
      #expect(reader.headStatus.lastError == nil)
    }
  }
}
