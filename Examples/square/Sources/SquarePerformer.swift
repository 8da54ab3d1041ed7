import PonosPerformer

/// Squares a number of any length. Payload and result are hexadecimal text: `0x04` becomes `0x10`.
@main
struct SquarePerformer: Performer {
  /// Pause before each answer, to see what waiting does.
  var delay = Duration.zero

  static func main() async {
    await PerformerServer.main { try PerformerServer(SquarePerformer(delay: try TaskDelay.fromEnvironment())) }
  }

  func validate(_ task: PerformerTask) throws(PerformerError) {
    _ = try HexNumber(text: try task.text)
  }

  func handle(_ task: PerformerTask) async throws -> [UInt8] {
    let number = try HexNumber(text: try task.text)
    try await Task.sleep(for: delay)
    return Array(number.squared().text.utf8)
  }
}
