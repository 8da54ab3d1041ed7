import PonosContainers
import PonosCore

/// A checked answer to a task: right id, acceptable size, the AVS's rules kept. Made here only, so nothing else can be signed.
package struct CollectedResult: Sendable {
  package let accepted: AcceptedTask
  package let output: [UInt8]

  fileprivate init(accepted: AcceptedTask, output: [UInt8]) {
    self.accepted = accepted
    self.output = output
  }
}

/// Turns a performer's reply into a result that may be signed.
package enum ResponseCollector {
  package static func collect(
    _ task: AssignedTask, _ reply: PerformerReply, rules: ResponseRules
  ) throws(TaskFailure) -> CollectedResult {
    try ResponseChecks.check(echoedID: reply.echoedID, outputCount: reply.output.count, for: task.id)
    try ResponseChecks.check(reply.output, by: rules)
    return CollectedResult(accepted: task.accepted, output: reply.output)
  }

  /// Makes the result from an output that was checked and written down before.
  package static func restore(_ output: RestoredOutput) -> CollectedResult {
    CollectedResult(accepted: output.accepted, output: output.output)
  }
}
