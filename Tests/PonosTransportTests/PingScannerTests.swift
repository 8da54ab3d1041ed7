import NIOCore
import Testing

@testable import PonosTransport

@Suite("PING scanner")
struct PingScannerTests {
  static let preface = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
  static let settings = RawFrame.bytes(type: 4)

  /// Feeds `input` in pieces of `size` bytes and collects what comes out.
  static func scan(_ input: ByteBuffer, piece size: Int, ofClientBytes: Bool = true) -> (passed: [UInt8], pings: [UInt64]) {
    var scanner = PingScanner(ofClientBytes: ofClientBytes)
    var passed: [UInt8] = []
    var pings: [UInt64] = []
    var input = input
    while let piece = input.readSlice(length: min(size, input.readableBytes)), piece.readableBytes > 0 {
      scanner.append(piece)
      while let finding = scanner.next() {
        switch finding {
        case .pass(let bytes): passed += Array(bytes.readableBytesView)
        case .ping(let opaque): pings.append(opaque)
        }
      }
    }
    return (passed, pings)
  }

  @Test("takes PINGs out and passes everything else, wherever the bytes are cut", arguments: 1...64)
  func anyCut(size: Int) {
    var others = Self.preface
    others.writeImmutableBuffer(Self.settings)
    var input = others
    for number in UInt64(1)...5 {
      input.writeImmutableBuffer(RawFrame.ping(number))
      let data = RawFrame.bytes(type: 0, stream: 1, payload: [UInt8](repeating: UInt8(number), count: Int(number) * 7))
      input.writeImmutableBuffer(data)
      others.writeImmutableBuffer(data)
    }
    let result = Self.scan(input, piece: size)
    #expect(result.pings == [1, 2, 3, 4, 5])
    #expect(result.passed == Array(others.readableBytesView))
  }

  @Test("a server's bytes have no preface")
  func serverBytes() {
    var input = Self.settings
    input.writeImmutableBuffer(RawFrame.ping(9))
    #expect(Self.scan(input, piece: 1_000, ofClientBytes: false).pings == [9])
  }

  @Test("passes on every PING that is malformed or out of place")
  func illegalPings() {
    let openHeaders = RawFrame.bytes(type: 1, flags: 0, stream: 1, payload: [0x82])
    let cases: [[ByteBuffer]] = [
      [RawFrame.ping(1)],  // before SETTINGS
      [Self.settings, RawFrame.bytes(type: 6, payload: [1, 2, 3])],
      [Self.settings, RawFrame.bytes(type: 6, stream: 3, payload: [UInt8](repeating: 0, count: 8))],
      [Self.settings, RawFrame.bytes(type: 6, flags: 1, payload: [UInt8](repeating: 0, count: 8))],
      [Self.settings, openHeaders, RawFrame.ping(1)],
    ]
    for frames in cases {
      var input = Self.preface
      for frame in frames { input.writeImmutableBuffer(frame) }
      let result = Self.scan(input, piece: 5)
      #expect(result.pings.isEmpty)
      #expect(result.passed == Array(input.readableBytesView))
    }
  }

  /// Reads that cut `frame` in the same place over and over; what passes and what is kept after each.
  static func straddle(_ frame: ByteBuffer, cut: Int, reads: Int = 300) -> (passed: [Int], stored: Int) {
    let bytes = Array(frame.readableBytesView)
    var scanner = PingScanner(ofClientBytes: false)
    var (passed, stored) = ([Int](), 0)
    for number in 0..<reads {
      let read = number == 0 ? bytes.prefix(cut) : bytes.suffix(from: cut) + bytes.prefix(cut)
      scanner.append(ByteBuffer(bytes: read))
      var count = 0
      while let finding = scanner.next() { if case .pass(let found) = finding { count += found.readableBytes } }
      passed.append(count)
      stored = max(stored, scanner.storedBytes)
    }
    return (passed, stored)
  }

  @Test("reads that end inside a frame fill no memory, here or in what reads the frames", arguments: [4, 9, 10, 5_000])
  func straddling(cut: Int) {
    let payload = [UInt8](repeating: 0, count: 16_000)
    let unknown = RawFrame.bytes(type: 0xfa, payload: payload)
    let padded = RawFrame.bytes(type: 0, flags: 8, stream: 1, payload: payload)
    var block = RawFrame.bytes(type: 1, flags: 0, stream: 1, payload: Array(payload.prefix(8_000)))
    block.writeImmutableBuffer(RawFrame.bytes(type: 9, flags: 4, stream: 1, payload: Array(payload.prefix(7_000))))
    for frame in [unknown, padded, block] {
      let result = Self.straddle(frame, cut: cut)
      #expect(result.passed.dropFirst().allSatisfy { $0 == frame.readableBytes } && result.passed.first == 0)
      #expect(result.stored < 128 << 10)
    }
    let data = Self.straddle(RawFrame.bytes(type: 0, stream: 1, payload: payload), cut: cut)
    #expect(data.passed.first == (cut > 9 ? cut : 0))
    #expect(data.stored < 128 << 10)
  }

  @Test("what is certain to be refused is not waited for")
  func hopeless() {
    let large = RawFrame.bytes(type: 4, payload: [UInt8](repeating: 0, count: 16_385))
    var block = RawFrame.bytes(type: 1, flags: 0, stream: 1, payload: [0x82])
    for _ in 0..<10 { block.writeImmutableBuffer(RawFrame.bytes(type: 9, flags: 0, stream: 1)) }
    for frame in [large, block] {
      let start = frame.getSlice(at: 0, length: frame.readableBytes - 1) ?? ByteBuffer()
      #expect(Self.scan(start, piece: 50, ofClientBytes: false).passed == Array(start.readableBytesView))
    }
  }

  @Test("the budget allows a PING for every write and a few per second, and no more")
  func budget() {
    var budget = RateBudget(burst: 3, perSecond: 2)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    #expect(Self.pings(from: &budget, at: start) == 3)
    budget.earn()
    #expect(Self.pings(from: &budget, at: start) == 1)
    #expect(Self.pings(from: &budget, at: start + .seconds(1)) == 2)
    for _ in 0..<100 { budget.earn() }
    #expect(Self.pings(from: &budget, at: start + .seconds(1)) == 3)
  }

  @Test("no part of a second is lost to the budget, however often it is asked")
  func steadyRate() {
    var budget = RateBudget(burst: 100, perSecond: 1_000)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    // Half a percent more than is earned: what was saved lasts for 10,000 steps.
    let refusals = (0..<5_000).count { !budget.spend(2, at: start + .microseconds(1_990) * $0) }
    #expect(refusals == 0)
  }

  @Test("padding is no part of a header block: one that is taken with it is waited for, and frames behind it are counted")
  func paddedBlock() {
    var scanner = PingScanner(ofClientBytes: false)
    scanner.append(PingScannerTests.settings)
    while scanner.next() != nil {}
    var bytes = RawFrame.bytes(type: 1, flags: 0x08, stream: 1, payload: [255] + [UInt8](repeating: 0, count: 8_255))
    bytes.writeImmutableBuffer(RawFrame.bytes(type: 9, flags: 0x04, stream: 1, payload: [UInt8](repeating: 0, count: 8_380)))
    bytes.writeImmutableBuffer(RawFrame.bytes(type: 3, stream: 1, payload: [0, 0, 0, 8]))
    scanner.append(bytes)
    while scanner.next() != nil {}
    #expect(!scanner.isHopeless)
    #expect(scanner.takeCounts() == .init(resets: 1, control: 1))
  }

  /// How many PINGs the budget allows before it says no.
  static func pings(from budget: inout RateBudget, at now: NIODeadline) -> Int {
    var count = 0
    while budget.spend(at: now) { count += 1 }
    return count
  }
}
