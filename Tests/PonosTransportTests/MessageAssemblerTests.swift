import GRPCCore
import NIOCore
import Testing

@testable import PonosTransport

@Suite("Messages")
struct MessageAssemblerTests {
  static func framed(_ bytes: [UInt8]) -> ByteBuffer { MessageBytes(bytes).framed }

  @Test("messages come back whole, wherever their frames are cut, and every byte is credited once", arguments: 1...40)
  func messagesComeBackWhole(piece: Int) throws {
    let messages: [[UInt8]] = [[], [1], Array(0..<100), [9, 9], [UInt8](repeating: 5, count: 77)]
    var wire = ByteBuffer()
    for message in messages { wire.writeImmutableBuffer(Self.framed(message)) }
    let total = wire.readableBytes
    var assembler = MessageAssembler(maxMessageBytes: 100)
    var (found, credit, held) = ([[UInt8]](), 0, 0)
    while let slice = wire.readSlice(length: min(piece, wire.readableBytes)), slice.readableBytes > 0 {
      assembler.append(slice)
      while let message = try assembler.next() {
        found.append(Array(message.bytes.buffer.readableBytesView))
        credit += message.weight.credit
        held += message.weight.held
      }
      credit += assembler.creditForPartial()
    }
    #expect(found == messages)
    #expect(credit == total)
    #expect(held == total)
    try assembler.finish()
  }

  @Test("what has been read is let go of, although a frame never ends with its message")
  func whatHasBeenReadIsLetGoOf() throws {
    let message = Array(Self.framed([UInt8](repeating: 7, count: 15_000)).readableBytesView)
    var assembler = MessageAssembler(maxMessageBytes: 20_000)
    assembler.append(ByteBuffer(bytes: message.dropLast()))
    for _ in 0..<500 {
      // The last byte of one message, and all but the last of the next.
      assembler.append(ByteBuffer(bytes: message.suffix(1) + message.dropLast()))
      let (complete, next) = (try assembler.next(), try assembler.next())
      #expect(complete?.bytes.count == 15_000 && next == nil)
      _ = assembler.creditForPartial()
      #expect(assembler.storedBytes < 64 << 10)
    }
  }

  @Test("a byte that waits does not keep the read it came with")
  func byteThatWaitsDoesNotKeepReadItCameWith() throws {
    var read = ByteBuffer(repeating: 9, count: 64 << 10)
    read.setBytes([0, 0, 0, 0, 1, 7, 0], at: 0)
    var assembler = MessageAssembler(maxMessageBytes: 100)
    assembler.append(read.getSlice(at: 0, length: 7) ?? ByteBuffer())
    let found = try assembler.next()
    let message = try #require(found)
    #expect(message.bytes.storedBytes >= 64 << 10)
    #expect(message.bytes.withoutExcessStorage().storedBytes < 1_024)
    #expect(message.bytes.withoutExcessStorage() == message.bytes)
    let credit = assembler.creditForPartial()
    #expect(credit == 1)
    #expect(assembler.storedBytes < 1_024)
  }

  @Test("a message over the limit is refused as soon as its length is known")
  func messageOverLimitIsRefusedAsSoonAsItsLength() {
    var assembler = MessageAssembler(maxMessageBytes: 10)
    assembler.append(ByteBuffer(bytes: [0, 0, 0, 0, 11]))
    let fault = #expect(throws: CallFault.self) { () throws in _ = try assembler.next() }
    #expect(fault?.code == .resourceExhausted)
  }

  @Test("unknown flags, unannounced compression and truncated streams are errors")
  func unknownFlagsUnannouncedCompressionAndTruncated() {
    for start: [UInt8] in [[2, 0, 0, 0, 0], [1, 0, 0, 0, 0]] {
      var assembler = MessageAssembler(maxMessageBytes: 10)
      assembler.append(ByteBuffer(bytes: start))
      let fault = #expect(throws: CallFault.self) { () throws in _ = try assembler.next() }
      #expect(fault?.code == .internalError)
    }
    var assembler = MessageAssembler(maxMessageBytes: 10)
    assembler.append(ByteBuffer(bytes: [0, 0, 0, 0, 4, 1]))
    #expect(throws: Never.self) { () throws in _ = try assembler.next() }
    #expect(throws: CallFault.self) { try assembler.finish() }
  }

  @Test("a compressed message stays so until it is asked for, and what it turns out to be is limited then")
  func compressedMessageStaysSoUntilItIsAskedFor() throws {
    let bomb = MessageBytes.frame(Gzip.compress(ByteBuffer(repeating: 0, count: 100_000)), isCompressed: true)
    var assembler = MessageAssembler(maxMessageBytes: 10_000, acceptsGzip: true)
    assembler.append(bomb)
    let message = try #require(try assembler.next())
    #expect(message.bytes.isCompressed && message.bytes.count < 1_000)
    let fault = #expect(throws: CallFault.self) { try message.bytes.decompressed(DecompressionLimits(maxBytes: 10_000)) }
    #expect(fault?.code == .resourceExhausted)
  }

  @Test("gzip there and back, of any size", arguments: [0, 1, 1_000, 300_000])
  func gzipThereAndBack(size: Int) throws {
    let payload = ByteBuffer(bytes: EchoCases.pattern(size))
    let compressed = Gzip.compress(payload)
    #expect(try Gzip.decompress(compressed, limit: size) == payload)
  }

  @Test("a decompression bomb is stopped at the limit")
  func decompressionBombIsStoppedAtLimit() {
    let compressed = Gzip.compress(ByteBuffer(repeating: 0, count: 10 << 20))
    #expect(compressed.readableBytes < 20_000)
    #expect(throws: Gzip.Failure.tooLarge) { try Gzip.decompress(compressed, limit: 1 << 20) }
  }

  @Test("what is not gzip is refused: noise, truncation, trailing bytes, a wrong checksum")
  func whatIsNotGzipIsRefused() {
    let good = Gzip.compress(ByteBuffer(string: "a message of some length"))
    let truncated = good.getSlice(at: good.readerIndex, length: good.readableBytes - 4) ?? good
    var trailing = good
    trailing.writeInteger(UInt8(0))
    var wrong = good
    wrong.setInteger(UInt8(0xaa), at: good.writerIndex - 6)
    for bytes in [ByteBuffer(), ByteBuffer(string: "not gzip at all"), truncated, trailing, wrong] {
      #expect(throws: Gzip.Failure.malformed) { try Gzip.decompress(bytes, limit: 1_000) }
    }
  }

  @Test("a message carries its own prefix")
  func messageCarriesItsOwnPrefix() {
    #expect(Array(MessageBytes([1, 2]).framed.readableBytesView) == [0, 0, 0, 0, 2, 1, 2])
    #expect(Array(MessageBytes(repeating: 7, count: 3).framed.readableBytesView) == [0, 0, 0, 0, 3, 7, 7, 7])
    #expect(Array(MessageBytes(received: ByteBuffer(bytes: [8])).framed.readableBytesView) == [0, 0, 0, 0, 1, 8])
  }
}
