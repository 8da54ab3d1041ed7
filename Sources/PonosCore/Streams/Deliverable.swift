/// How a task ended, ready to be sent.
package struct Deliverable<Answer: Sendable>: Sendable {
  package var id: TaskID
  /// About what it takes on the wire and in memory.
  package var byteCount: Int
  package var answer: Answer

  package init(id: TaskID, byteCount: Int, answer: Answer) {
    self.id = id
    self.byteCount = byteCount
    self.answer = answer
  }
}

extension Deliverable: Equatable where Answer: Equatable {}
