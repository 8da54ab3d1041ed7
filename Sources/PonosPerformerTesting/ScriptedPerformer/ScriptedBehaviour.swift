/// What a ``ScriptedPerformer`` does with one task. Written as text, which is the payload of the task:
///
/// | text | what happens |
/// |---|---|
/// | `echo TEXT` | answers TEXT |
/// | `delay MS TEXT` | answers TEXT after MS milliseconds |
/// | `hang` | never answers |
/// | `error CODE TEXT` | answers gRPC status CODE (1…16) with message TEXT |
/// | `retry-later MS CODE TEXT` | the same with `google.rpc.RetryInfo` of MS milliseconds |
/// | `once CODE` | answers status CODE the first time a task comes, and `again` from then on |
/// | `flood BYTES` | writes BYTES bytes to standard output in one line, then answers |
/// | `wrong-id` / `empty-id` | answers with another task id / with none |
/// | `oversize BYTES` | answers BYTES zero bytes |
/// | `exit STATUS` | ends the process: only for a performer in a container |
/// | `allocate BYTES` | takes and touches BYTES of memory, then answers how many |
/// | `not-serving` / `serving` | changes the health it reports, then answers |
/// | `dice MS` | answers sixteen random bytes in hex after MS milliseconds: another answer in every run |
/// | `count` | answers how many tasks it was given so far |
/// | `tally` | answers which tasks it was given so far, see `PerformerTally` |
/// | `inspect` | answers what it sees of its own confinement, one `name: value` per line |
/// | `env NAME` | answers the value of that variable |
///
/// Any other payload is answered as it is.
package enum ScriptedBehaviour: Sendable, Equatable {
  case answer([UInt8])
  case delay(Duration, [UInt8])
  case hang
  case error(code: Int, message: String)
  case retryLater(milliseconds: Int, code: Int, message: String)
  case once(code: Int)
  case flood(Int)
  case wrongID
  case emptyID
  case oversize(Int)
  case exit(Int32)
  case allocate(Int)
  case health(serving: Bool)
  case dice(Duration)
  case count
  case tally
  case inspect
  case environment(String)

  /// Reads `payload` by the table above.
  package init(payload: [UInt8]) {
    self = Self.parse(payload) ?? .answer(payload)
  }

  private static func parse(_ payload: [UInt8]) -> ScriptedBehaviour? {
    guard let text = String(validating: payload, as: UTF8.self) else { return nil }
    let words = text.split(separator: " ", maxSplits: 2).map(String.init)
    func rest(from index: Int) -> [UInt8] { Array(words.dropFirst(index).joined(separator: " ").utf8) }
    switch (words.first, words.count > 1 ? Int(words[1]) : nil) {
    case ("echo", _): return .answer(rest(from: 1))
    case ("delay", let milliseconds?): return .delay(.milliseconds(milliseconds), rest(from: 2))
    case ("hang", _): return .hang
    case ("error", let code?) where (1...16).contains(code):
      return .error(code: code, message: String(decoding: rest(from: 2), as: UTF8.self))
    case ("retry-later", let milliseconds?) where words.count > 2:
      let parts = words[2].split(separator: " ", maxSplits: 1).map(String.init)
      guard let code = parts.first.flatMap({ Int($0) }), (1...16).contains(code) else { return nil }
      return .retryLater(milliseconds: milliseconds, code: code, message: parts.count > 1 ? parts[1] : "")
    case ("once", let code?) where (1...16).contains(code): return .once(code: code)
    case ("flood", let bytes?) where bytes >= 0: return .flood(bytes)
    case ("wrong-id", _): return .wrongID
    case ("empty-id", _): return .emptyID
    case ("oversize", let bytes?) where bytes >= 0: return .oversize(bytes)
    case ("exit", let status?): return .exit(Int32(truncatingIfNeeded: status))
    case ("allocate", let bytes?) where bytes >= 0: return .allocate(bytes)
    case ("not-serving", _): return .health(serving: false)
    case ("serving", _): return .health(serving: true)
    case ("dice", let milliseconds?): return .dice(.milliseconds(milliseconds))
    case ("count", _): return .count
    case ("tally", _): return .tally
    case ("inspect", _): return .inspect
    case ("env", _) where words.count > 1: return .environment(words[1])
    default: return nil
    }
  }
}
