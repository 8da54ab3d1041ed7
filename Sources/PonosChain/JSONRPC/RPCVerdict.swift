import PonosCore

/// What an error of a node means. Nodes agree neither on codes nor on words, so this goes by what they were seen to send.
enum RPCVerdict: Sendable, Equatable {
  /// The contract refused: an answer, not a fault. nil when the node does not say with which data.
  case reverted([UInt8]?)
  /// The block is not there, or not part of the chain: the node lags, or there was a reorganisation.
  case blockUnknown
  /// The node keeps no state of that age; an archive node does.
  case statePruned
  /// Too many requests; with the pause that the node asks for.
  case rateLimited(Duration?)
  /// The node does not offer the method.
  case unsupported
  /// The node calls the request invalid; too large a batch is called so as well.
  case invalid
  /// Everything else.
  case failed

  init(_ error: RPCErrorObject) {
    let message = error.message.lowercased()
    func says(_ words: [String]) -> Bool { words.contains { message.contains($0) } }
    if let data = Self.revertData(error, message) {
      self = .reverted(data)
    } else if error.code == 429 || error.code == -32005 || says(["rate limit", "too many requests", "limit exceeded"]) {
      self = .rateLimited(Self.pause(error.data))
    } else if says(["missing trie node", "pruned", "historical state", "state not available", "state is not available"]) {
      self = .statePruned
    } else if error.code == -32001 || says(["header not found", "not found: header", "header for hash not found"])
      || says(["unknown block", "block not found", "not currently canonical", "not canonical"])
    {
      self = .blockUnknown
    } else if message.contains("revert") {
      self = .reverted(nil)
    } else if error.code == -32601 {
      self = .unsupported
    } else {
      self = error.code == -32600 ? .invalid : .failed
    }
  }

  /// The data of a revert: code 3 with data (geth), -32000 with data, -32015 with `Reverted 0x…` (Nethermind).
  private static func revertData(_ error: RPCErrorObject, _ message: String) -> [UInt8]? {
    guard [3, -32000, -32015].contains(error.code), let text = error.data?.text else { return nil }
    let hex = text.hasPrefix("Reverted ") ? text.dropFirst("Reverted ".count) : text[...]
    guard hex.hasPrefix("0x") else { return nil }
    return Hex.decode(hex)
  }

  /// Seconds to wait, where providers put them.
  private static func pause(_ data: RPCValue?) -> Duration? {
    let seconds = data?["backoff_seconds"] ?? data?["rate"]?["backoff_seconds"]
    guard case .number(let number)? = seconds, (0...86_400).contains(number) else { return nil }
    return .milliseconds(Int64(number * 1_000))
  }
}
