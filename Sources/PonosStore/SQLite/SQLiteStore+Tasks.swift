import PonosCore

extension SQLiteStore: TaskStore {
  /// Rows deleted in one step; a step holds up other writers for a few milliseconds.
  static let deletionStep = 500

  package func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome {
    let seals = TaskStatements.AcceptanceSeals(task)
    return try await writer.write("accept task \(task.id)", kind: .admission, bytes: task.submission.count) { database in
      let outcome = try TaskStatements.accept(task, seals, database)
      if task.isStreamed, case .accepted(let sequence) = outcome {
        try DeliveryStatements.add(task, sequence: sequence, database)
      }
      return outcome
    }
  }

  package func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError) {
    let step = TaskStatements.Step(transition, of: id)
    try await writer.write("record a step of task \(id)", bytes: transition.payloadBytes) { database in
      try TaskStatements.record(step, database)
    }
  }

  package func recordSoon(
    _ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void
  ) {
    let step = TaskStatements.Step(transition, of: id)
    writer.post("record a step of task \(id)", bytes: transition.payloadBytes, onFailure: onFailure) { database in
      try TaskStatements.record(step, database)
    }
  }

  package func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? {
    try await read("read task \(id)") { try TaskStatements.task(id, $0) }
  }

  package func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>] {
    try await read("count unfinished tasks") { try TaskStatements.unfinishedPages(of: size, $0) }
  }

  package func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks {
    try await read("read unfinished tasks") { try TaskStatements.unfinishedTasks(in: range, $0) }
  }

  package func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError) {
    try await writer.write("replace the result of task \(id)", bytes: result.count) { database in
      try TaskStatements.replaceResult(of: id, by: result, database)
    }
  }

  package func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary] {
    try await read("read recent tasks") { try TaskStatements.recentTasks(limit: limit, $0) }
  }

  package func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    var total = 0
    while true {
      let deleted = try await writer.write("delete old tasks") { database in
        try TaskStatements.deleteTasks(finishedBefore: time, limit: Self.deletionStep, database)
      }
      total += deleted
      if deleted < Self.deletionStep { return total }
    }
  }
}

extension TaskTransition {
  /// Bytes the step adds to the row.
  fileprivate var payloadBytes: Int {
    switch self {
    case .signed(let result, _): result.count
    case .executing, .requeued, .failed: 0
    }
  }
}
