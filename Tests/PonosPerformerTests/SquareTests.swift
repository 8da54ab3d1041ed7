import PonosPerformer
import Testing

@testable import SquarePerformer

@Suite struct SquareTests {
  @Test(arguments: [
    ("0x04", "0x10"), ("4", "0x10"), ("0X0a", "0x64"), ("FF", "0xfe01"), ("0x19", "0x0271"),
    ("0", "0x00"), ("0x0000", "0x00"), ("1", "0x01"),
    ("0xffffffff", "0xfffffffe00000001"),
    ("0x100000000", "0x010000000000000000"),
    ("ffffffffffffffffffffffff", "0xfffffffffffffffffffffffe000000000000000000000001"),
  ])
  func squares(payload: String, result: String) async throws {
    let bytes = try await SquarePerformer().handle(PerformerTask(id: "0x", payload: payload.utf8))
    #expect(String(decoding: bytes, as: UTF8.self) == result)
  }

  @Test func agreesWithTheMachineOn64BitNumbers() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let number = UInt64.random(in: 1...UInt64.max, using: &generator)
      let square = UInt128(number) * UInt128(number)
      let expected = String(square, radix: 16)
      let padded = "0x" + (expected.count.isMultiple(of: 2) ? "" : "0") + expected
      #expect(try HexNumber(text: String(number, radix: 16)).squared().text == padded)
    }
  }

  @Test(arguments: ["", "0x", "xyz", "0x0g", "+4", "-1", "0x+4", "4 ", "0x0x4", "４"])
  func refusesWhatIsNotHexadecimal(payload: String) {
    #expect(throws: PerformerError.self) { try SquarePerformer().validate(PerformerTask(id: "0x", payload: payload.utf8)) }
  }

  @Test func longestNumberPassesAndOneDigitMoreDoesNot() throws {
    let longest = String(repeating: "f", count: HexNumber.maxDigits)
    #expect(try HexNumber(text: longest).squared().text.count == 2 + 2 * HexNumber.maxDigits)
    #expect(throws: PerformerError.self) { try HexNumber(text: longest + "f") }
  }

  @Test func delayComesFromTheEnvironment() throws {
    #expect(try TaskDelay.fromEnvironment([:]) == .zero)
    #expect(try TaskDelay.fromEnvironment(["TASK_DELAY_MS": "250"]) == .milliseconds(250))
    #expect(throws: PerformerError.self) { try TaskDelay.fromEnvironment(["TASK_DELAY_MS": "soon"]) }
  }
}
