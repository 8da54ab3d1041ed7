import NIOCore
import NIOEmbedded
import Testing

@testable import PonosTransport

@Suite("Joining of writes")
struct WriteCoalescerTests {
  private let channel = EmbeddedChannel(handler: WriteCoalescer())

  /// What has become of a write.
  private final class Outcome {
    var result: Result<Void, any Error>?
  }

  private func write(_ text: String, then next: @escaping () -> Void) -> Outcome {
    let outcome = Outcome()
    let promise = channel.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { result in
      outcome.result = result
      next()
    }
    channel.write(ByteBuffer(string: text), promise: promise)
    return outcome
  }

  private func write(_ text: String) {
    channel.write(ByteBuffer(string: text), promise: nil)
  }

  /// What has reached the network, one string for each write.
  private func written() throws -> [String] {
    var texts: [String] = []
    while let data = try channel.readOutbound(as: IOData.self) {
      if case .byteBuffer(let bytes) = data { texts.append(String(buffer: bytes)) }
    }
    return texts
  }

  @Test("writes of one turn leave as one, in their order, and complete with it")
  func joined() throws {
    let first: Outcome = write("a") {}
    write("b")
    let last: Outcome = write("c") {}
    #expect(try written().isEmpty)
    #expect(first.result == nil && last.result == nil)
    channel.flush()
    #expect(try written() == ["abc"])
    #expect(throws: Never.self) { try #require(first.result).get() }
    #expect(throws: Never.self) { try #require(last.result).get() }
    write("d")
    channel.flush()
    #expect(try written() == ["d"])
  }

  @Test("a long write is passed on as it is, between those around it")
  func long() throws {
    let text = String(repeating: "x", count: 5_000)
    for piece in ["a", text, "b"] { write(piece) }
    channel.flush()
    #expect(try written() == ["a", text, "b"])
  }

  @Test("what is written when a flush completes is not lost, however much was held before", arguments: [1, 5])
  func writtenDuringFlush(pieces: Int) throws {
    let piece = String(repeating: "x", count: 4_000)
    for _ in 0..<pieces { write(piece) }
    _ = write("end") { write("again") }
    channel.flush()
    channel.flush()
    #expect(try written().joined() == String(repeating: piece, count: pieces) + "endagain")
  }
}
