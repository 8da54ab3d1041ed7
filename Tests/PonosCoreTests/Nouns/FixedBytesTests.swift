import Foundation
import PonosCore
import Testing

@Suite("Fixed-length byte strings")
struct FixedBytesTests {
  static let text = "0x00000000000000000000000000000000000000ff"
  static let address = EthereumAddress(hex: text)

  @Test("an address is 20 bytes, an id and a digest 32")
  func addressIs20Bytes() {
    #expect(EthereumAddress([UInt8](repeating: 1, count: 20)) != nil)
    #expect(TaskID([UInt8](repeating: 1, count: 32)) != nil)
    #expect(Digest32([UInt8](repeating: 1, count: 32)) != nil)
    for count in [0, 1, 19, 21, 32, 40] {
      #expect(EthereumAddress([UInt8](repeating: 1, count: count)) == nil, "\(count) bytes")
    }
    for count in [0, 20, 31, 33, 64] {
      #expect(TaskID([UInt8](repeating: 1, count: count)) == nil, "\(count) bytes")
      #expect(Digest32([UInt8](repeating: 1, count: count)) == nil, "\(count) bytes")
    }
  }

  @Test("reads 0x and digits in either case, and writes lower case")
  func reads0xAndDigitsInEitherCase() throws {
    let mixed = try #require(EthereumAddress(hex: "0xAbCdEf0123456789aBcDeF0123456789AbCdEf01"))
    #expect(mixed == EthereumAddress(hex: "0xabcdef0123456789abcdef0123456789abcdef01"))
    #expect(mixed.description == "0xabcdef0123456789abcdef0123456789abcdef01")
    #expect(Set([mixed]).contains(try #require(EthereumAddress(mixed.bytes))))
  }

  @Test(
    "refuses other shapes",
    arguments: [
      "", "0x", "0x00", "00000000000000000000000000000000000000ff", "0X00000000000000000000000000000000000000ff",
      "0x00000000000000000000000000000000000000f", "0x00000000000000000000000000000000000000ff0",
      "0x00000000000000000000000000000000000000fg", " 0x00000000000000000000000000000000000000ff",
      "0x00000000000000000000000000000000000000ff ", "0000000000000000000000000000000000000000ff",
      "0x0x000000000000000000000000000000000000ff",
    ])
  func refusesOtherShapes(text: String) {
    #expect(EthereumAddress(hex: text) == nil)
  }

  @Test("is a text in JSON, and refuses a text of another length there, saying what it expected")
  func isTextInJSON() throws {
    let address = try #require(Self.address)
    let json = try JSONEncoder().encode([address])
    #expect(String(decoding: json, as: UTF8.self) == "[\"\(Self.text)\"]")
    #expect(try JSONDecoder().decode([EthereumAddress].self, from: json) == [address])
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([TaskID].self, from: json)
    }
    #expect("\(try #require(error))".contains("64 hex digits"))
  }

  @Test("an operator set is its AVS and its number")
  func operatorSetIsItsAVSAndItsNumber() throws {
    let avs = try #require(Self.address)
    #expect(OperatorSet(avs: avs, id: 0) != OperatorSet(avs: avs, id: 1))
    #expect(OperatorSet(avs: avs, id: 7).description == "\(Self.text)/7")
  }
}
