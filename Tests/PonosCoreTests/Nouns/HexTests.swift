import PonosCore
import Testing

@Suite("Hex")
struct HexTests {
  @Test(
    "spells and reads bytes",
    arguments: [
      ([], ""), ([0x00], "00"), ([0x0f, 0xf0], "0ff0"), ([0xde, 0xad, 0xbe, 0xef], "deadbeef"),
      (Array(0...255), (0...255).map { Self.twoDigits($0) }.joined()),
    ] as [([UInt8], String)])
  func spellsAndReadsBytes(bytes: [UInt8], digits: String) {
    #expect(Hex.encode(bytes) == digits)
    #expect(Hex.encodePrefixed(bytes) == "0x" + digits)
    #expect(Hex.decode(digits) == bytes)
    #expect(Hex.decode("0x" + digits) == bytes)
    #expect(Hex.decode(digits.uppercased()) == bytes)
  }

  @Test("reads digits of either case, mixed too")
  func readsDigitsOfEitherCase() {
    #expect(Hex.decode("0xAbCdEf") == [0xab, 0xcd, 0xef])
  }

  @Test("reads a part of a text")
  func readsPartOfText() {
    #expect(Hex.decode("key=0xff01".dropFirst(4)) == [0xff, 0x01])
    #expect(TaskID(hex: Hex.encode([UInt8](repeating: 1, count: 33))) == nil, "66 digits are no prefix and 64 digits")
  }

  @Test(
    "refuses what is not hex",
    arguments: [
      "0", "0x0", "abc", "0g", "g0", "0X00", "0x0x00", " 00", "00 ", "0x 00", "-1", "+f", "0_0", "00\n", "٠٠", "é0", "0xé",
      "\u{ff10}\u{ff10}", "0\u{301}0",
    ])
  func refusesWhatIsNotHex(text: String) {
    #expect(Hex.decode(text) == nil)
  }

  /// A second opinion on two hex digits, by arithmetic rather than by table.
  private static func twoDigits(_ value: Int) -> String {
    (value < 16 ? "0" : "") + String(value, radix: 16)
  }
}
