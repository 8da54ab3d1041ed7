import PonosCore
import PonosExecutor
import Synchronization

/// A performer connection that answers as a test says, and remembers what it was asked.
final class FakePerformer: PerformerConnection {
  /// What to do with run number `call` (from 1) of a task.
  typealias Script =
    @Sendable (_ id: TaskID, _ payload: [UInt8], _ call: Int) async throws(PerformerCallError) -> PerformerReply

  private let script: Script
  private let asked = Mutex<[TaskID]>([])

  init(_ script: @escaping Script) {
    self.script = script
  }

  /// Answers each payload as it is.
  static func echo() -> FakePerformer {
    FakePerformer { id, payload, _ throws(PerformerCallError) in .echo(id, payload) }
  }

  /// As `echo`, once `gate` is open.
  static func behind(_ gate: TaskGate) -> FakePerformer {
    FakePerformer { id, payload, _ throws(PerformerCallError) in
      await gate.pass()
      if Task.isCancelled { throw .cancelled }
      return .echo(id, payload)
    }
  }

  /// The tasks asked for, in order; a task run twice is there twice.
  var calls: [TaskID] { asked.withLock { $0 } }

  func execute(
    _ id: TaskID, payload: [UInt8], timeout: Duration
  ) async throws(PerformerCallError) -> PerformerReply {
    let call = asked.withLock { asked in
      asked.append(id)
      return asked.filter { $0 == id }.count
    }
    return try await script(id, payload, call)
  }

  func checkHealth(timeout: Duration) async -> HealthReport { .serving }
  func close() async {}
}

extension PerformerReply {
  /// The right id and `output`.
  static func echo(_ id: TaskID, _ output: [UInt8]) -> PerformerReply {
    PerformerReply(echoedID: Array(id.description.utf8), output: output)
  }
}
