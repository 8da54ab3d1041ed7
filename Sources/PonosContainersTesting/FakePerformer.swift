import PonosContainers
import PonosCore
import PonosTesting
import Synchronization

/// A performer connection that answers as a test says, and remembers what it was asked.
package final class FakePerformer: PerformerConnection {
  /// What to do with run number `call` (from 1) of a task.
  package typealias Script =
    @Sendable (_ id: TaskID, _ payload: [UInt8], _ call: Int) async throws(PerformerCallError) -> PerformerReply

  private let script: Script
  private let asked = Mutex<[TaskID]>([])

  package init(_ script: @escaping Script) {
    self.script = script
  }

  /// Answers each payload as it is.
  package static func echo() -> FakePerformer {
    FakePerformer { id, payload, _ throws(PerformerCallError) in .echo(id, payload) }
  }

  /// As `echo`, once `gate` is open.
  package static func behind(_ gate: TaskGate) -> FakePerformer {
    FakePerformer { id, payload, _ throws(PerformerCallError) in
      await gate.pass()
      if Task.isCancelled { throw .cancelled }
      return .echo(id, payload)
    }
  }

  /// The tasks asked for, in order; a task run twice is there twice.
  package var calls: [TaskID] { asked.withLock { $0 } }

  package func execute(
    _ id: TaskID, payload: [UInt8], timeout: Duration
  ) async throws(PerformerCallError) -> PerformerReply {
    let call = asked.withLock { asked in
      asked.append(id)
      return asked.filter { $0 == id }.count
    }
    return try await script(id, payload, call)
  }

  package var probe: any Probe { FakeProbe.serving }
  package func close() async {}
}

extension PerformerReply {
  /// The right id and `output`.
  package static func echo(_ id: TaskID, _ output: [UInt8]) -> PerformerReply {
    PerformerReply(echoedID: Array(id.description.utf8), output: output)
  }
}
