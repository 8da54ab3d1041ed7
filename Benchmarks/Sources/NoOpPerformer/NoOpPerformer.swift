import PonosPerformer

/// Answers each task with its own payload: a performer that costs nothing but its transport.
@main
struct NoOpPerformer: Performer {
  static func main() async throws {
    try await PerformerServer(NoOpPerformer()).run()
  }

  func handle(_ task: PerformerTask) async throws -> [UInt8] {
    task.payload
  }
}
