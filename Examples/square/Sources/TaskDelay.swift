import Foundation
import PonosPerformer

/// The pause that `TASK_DELAY_MS` asks for.
enum TaskDelay {
  /// - Throws: A permanent error when the variable is set to something that is not a number of milliseconds up to an hour.
  static func fromEnvironment(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(PerformerError) -> Duration {
    guard let text = environment["TASK_DELAY_MS"], !text.isEmpty else { return .zero }
    guard let milliseconds = Int(text), (0...3_600_000).contains(milliseconds) else {
      throw .permanent("TASK_DELAY_MS is '\(text)': give a number of milliseconds from 0 to 3600000")
    }
    return .milliseconds(milliseconds)
  }
}
