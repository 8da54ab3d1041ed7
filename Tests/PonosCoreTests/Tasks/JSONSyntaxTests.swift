import Foundation
import PonosCore
import Testing

@Suite("JSON syntax")
struct JSONSyntaxTests {
  @Test(
    "takes what RFC 8259 allows",
    arguments: [
      "0", "-0", "12", "-1.5", "1e9", "1E+2", "0.5e-3", "true", "false", "null", "\"\"", "\"a\\n\\u00e9\\\\\\\"/\"", "\"ü€😀\"",
      "[]",
      "{}", " [ 1 , [ ] , { } , \"x\" ] ", "{\"a\":1,\"b\":{\"c\":[null]}}", "\t\r\n{ \"a\" : [ { } ] }\n", "\"\\ud800\"",
      "[[[[1]]]]",
    ])
  func takesWhatRFC8259Allows(text: String) {
    #expect(JSONSyntax.fault(in: Array(text.utf8)) == nil)
  }

  @Test(
    "names the first byte that does not belong",
    arguments: [
      ("", 0), ("  ", 2), ("01", 1), ("-", 1), ("1.", 2), (".5", 0), ("1e", 2), ("+1", 0), ("tru", 3), ("True", 0), ("nul", 3),
      ("\"a", 2), ("\"a\nb\"", 2), ("\"\\x\"", 2), ("\"\\u12g4\"", 5), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1", 2),
      ("]", 0),
      ("[1}", 2), ("{1:2}", 1), ("{\"a\"}", 4), ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{\"a\":1 \"b\":2}", 7), ("{} {}", 3),
      ("1 1", 2), ("'a'", 0), ("NaN", 0), ("[1]//", 3), ("\u{FEFF}1", 0),
    ])
  func namesFirstByteThatDoesNotBelong(text: String, offset: Int) {
    #expect(JSONSyntax.fault(in: Array(text.utf8)) == offset)
  }

  @Test("takes UTF-8 only")
  func takesUTF8Only() {
    #expect(JSONSyntax.fault(in: [0x22, 0xff, 0x22]) != nil)
    #expect(JSONSyntax.fault(in: [0x22, 0xc3, 0x22]) != nil)
    #expect(JSONSyntax.fault(in: [0x22, 0xc3, 0xbc, 0x22]) == nil)
  }

  @Test("refuses to nest too deep, and costs no stack where it is allowed")
  func refusesToNestTooDeep() {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(JSONSyntax.fault(in: nested(JSONSyntax.maxDepth)) == nil)
    #expect(JSONSyntax.fault(in: nested(JSONSyntax.maxDepth + 1)) == JSONSyntax.maxDepth)
    #expect(JSONSyntax.fault(in: nested(700_000)) == JSONSyntax.maxDepth)
  }

  @Test("agrees with Foundation, which takes a comma at an end, on damaged texts", arguments: SeededGenerator.seeds)
  func agreesWithFoundation(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let text = Array(#"{"a":[1,-2.5e1,true,null,"x\u00e9\n",{"b":{}},[]],"c":"ü"}"#.utf8)
    for _ in 0..<400 {
      var bytes = text
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[index] = Array(#"{}[],:"\01.eEtn-+ "#.utf8).randomElement(using: &random)!
        case 1: bytes.remove(at: index)
        default: bytes.insert(bytes[index], at: index)
        }
      }
      let isJSON = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
      let damaged = String(decoding: bytes, as: UTF8.self)
      if isJSON, damaged.contains(/,\s*[\]}]/) { continue }
      #expect((JSONSyntax.fault(in: bytes) == nil) == isJSON, "seed \(seed): \(damaged)")
    }
  }
}
