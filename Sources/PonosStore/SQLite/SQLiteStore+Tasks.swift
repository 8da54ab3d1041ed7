import PonosCore

extension SQLiteStore: TaskStore {
  /// Rows deleted in one step; a step holds up other writers for a few milliseconds.
  static let deletionStep = 500
  /// Rows looked at in one step for those that are past their retention.
  private static let searchStep = 5000

  package func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome {
    writeOldBeginnings()
    let seals = TaskStatements.AcceptanceSeals(task)
    let outcome = try await writer.write("accept task \(task.id)", kind: .admission, bytes: task.submission.count) {
      [sequences] connection in
      let sequence = sequences.next()
      let outcome = try TaskStatements.accept(task, seals, sequence: sequence, connection)
      if task.isStreamed, case .accepted = outcome {
        try DeliveryStatements.add(task, sequence: sequence, connection.database)
      }
      return outcome
    }
    if case .known(let record) = outcome { return .known(beginnings.shown(in: record)) }
    return outcome
  }

  package func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError) {
    writeBeginning(of: id)
    let step = TaskStatements.Step(transition, of: id)
    try await writer.write("record a step of task \(id)", bytes: transition.payloadBytes) { connection in
      try TaskStatements.record(step, connection.database)
    }
  }

  package func recordSoon(
    _ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void
  ) {
    if case .executing(let performerID, let attempt) = transition {
      return beginnings.add(.init(performerID: performerID, attempt: attempt, onFailure: onFailure), of: id)
    }
    writeBeginning(of: id)
    let step = TaskStatements.Step(transition, of: id)
    writer.post("record a step of task \(id)", bytes: transition.payloadBytes, onFailure: onFailure) { connection in
      try TaskStatements.record(step, connection.database)
    }
  }

  package func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? {
    try await read("read task \(id)") { try TaskStatements.task(id, $0) }.map { beginnings.shown(in: $0) }
  }

  package func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>] {
    try await read("count unfinished tasks") { try TaskStatements.unfinishedPages(of: size, $0) }
  }

  package func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks {
    try await read("read unfinished tasks") { try TaskStatements.unfinishedTasks(in: range, $0) }
  }

  package func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError) {
    try await writer.write("replace the result of task \(id)", bytes: result.count) { connection in
      try TaskStatements.replaceResult(of: id, by: result, connection.database)
    }
  }

  package func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary] {
    try await read("read recent tasks") { try TaskStatements.recentTasks(limit: limit, $0) }.map { beginnings.shown(in: $0) }
  }

  package func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    var (total, last) = (0, Int64.min)
    while true {
      let window = try await read("look for old tasks") { [last] database in
        try TaskStatements.window(finishedBefore: time, after: last, limit: Self.searchStep, database)
      }
      for start in stride(from: 0, to: window.forgettable.count, by: Self.deletionStep) {
        let sequences = Array(window.forgettable[start...].prefix(Self.deletionStep))
        total += try await writer.write("delete old tasks") { connection in
          try TaskStatements.deleteTasks(sequences, finishedBefore: time, connection.database)
        }
      }
      guard let newest = window.last, window.isOld else { return total }
      last = newest
    }
  }

  // MARK: Beginnings of runs

  /// Has the beginning of a task's run written before what is written next.
  func writeBeginning(of id: TaskID) {
    writeOldBeginnings()
    if let run = beginnings.take(id) { post(run, of: id) }
  }

  /// Has beginnings that have waited for long written beside what is written next.
  func writeOldBeginnings() { writeBeginnings(before: .now - RunBeginnings.delay) }

  /// Has those written that began before `time`.
  func writeBeginnings(before time: ContinuousClock.Instant) {
    for (id, run) in beginnings.take(before: time) { post(run, of: id) }
  }

  private func post(_ run: RunBeginnings.Run, of id: TaskID) {
    writer.post("record the beginning of a run of task \(id)", onFailure: run.onFailure) { connection in
      try TaskStatements.begin(run, of: id, connection)
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
