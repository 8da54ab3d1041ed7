import PonosCore

/// What a ``ScriptedPerformer`` was given since it started, as it answers to `tally`: small, however many tasks there were.
package struct PerformerTally: Sendable, Equatable {
  /// Different tasks, the question itself included.
  package var tasks: Int
  /// Runs of all of them together.
  package var runs: Int
  /// Runs of each task that was given more than once.
  package var repeated: [TaskID: Int]

  package init(tasks: Int, runs: Int, repeated: [TaskID: Int]) {
    self.tasks = tasks
    self.runs = runs
    self.repeated = repeated
  }

  /// Counts the ids a performer was given.
  init(of ids: [String]) {
    var counts: [String: Int] = [:]
    for id in ids { counts[id, default: 0] += 1 }
    tasks = counts.count
    runs = ids.count
    repeated = [:]
    for (id, count) in counts where count > 1 {
      if let id = TaskID(hex: id) { repeated[id] = count }
    }
  }

  /// `TASKS RUNS` on the first line, then `ID RUNS` for each task run more than once.
  package var text: String {
    (["\(tasks) \(runs)"] + repeated.map { "\($0.key) \($0.value)" }).joined(separator: "\n")
  }

  /// Reads `text`; nil for anything else.
  package init?(text: String) {
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    guard let head = lines.first, head.count == 2, let tasks = Int(head[0]), let runs = Int(head[1]) else { return nil }
    self.init(tasks: tasks, runs: runs, repeated: [:])
    for line in lines.dropFirst() {
      guard line.count == 2, let id = TaskID(hex: line[0]), let count = Int(line[1]) else { return nil }
      repeated[id] = count
    }
  }
}
