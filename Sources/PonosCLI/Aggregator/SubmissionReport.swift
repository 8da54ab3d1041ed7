import Foundation
import Glibc
import Synchronization

/// Counts answers on the terminal during a long run; prints nothing when standard error is no terminal.
final class SubmissionProgress: Sendable {
  private let total: Int
  private let done = Mutex((ended: 0, failed: 0))
  private let isShown = isatty(STDERR_FILENO) == 1

  init(total: Int) {
    self.total = total
  }

  func count(_ outcome: SubmissionOutcome) {
    let (ended, failed) = done.withLock { done in
      done.ended += 1
      if outcome.error != nil { done.failed += 1 }
      return done
    }
    guard isShown, total > 1, ended == total || ended.isMultiple(of: max(1, total / 100)) else { return }
    let end = ended == total ? "\n" : ""
    Console.show("\r\(ended) of \(total) answered, \(failed) failed\(end)")
  }
}

/// Prints the result of a run.
struct SubmissionReport {
  private let summary: SubmissionSummary
  /// Answers listed one by one up to this many tasks.
  private static let listed = 20

  init(_ summary: SubmissionSummary) {
    self.summary = summary
  }

  func print(as format: OutputFormat) throws {
    switch format {
    case .json: try Console.print(json: summary)
    case .table: try printTable()
    }
  }

  private func printTable() throws {
    if summary.submitted <= Self.listed {
      var table = TextTable(header: ["TASK", "VERIFIED", "MS", "ANSWER"])
      for outcome in summary.outcomes {
        table.add([
          String(outcome.taskID.prefix(14)) + "…", outcome.isVerified ? "yes" : "no",
          String(format: "%.1f", outcome.milliseconds), outcome.error ?? outcome.output ?? "",
        ])
      }
      try Console.print(table.text + "\n")
    } else {
      for outcome in summary.outcomes.filter({ $0.error != nil }).prefix(Self.listed) {
        try Console.print("\(outcome.taskID): \(outcome.error ?? "")")
      }
    }
    try Console.print(
      "\(summary.submitted) submitted, \(summary.answered) answered, \(summary.verified) verified, \(summary.failed) failed")
    guard let latency = summary.latency else { return }
    try Console.print(
      String(
        format: "%.2f s, %.0f tasks/s, latency p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms", summary.seconds,
        summary.tasksPerSecond, latency.p50, latency.p90, latency.p99, latency.max))
  }
}
