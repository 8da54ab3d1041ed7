/// How many tasks a performer has been given and has answered.
package struct TaskActivity: Sendable, Equatable {
  /// Tasks given and not answered yet.
  package var inFlight = 0
  /// Tasks answered since the connection was made, whatever the answer.
  package var replies = 0

  package init(inFlight: Int = 0, replies: Int = 0) {
    self.inFlight = inFlight
    self.replies = replies
  }

  package var isWorking: Bool { inFlight > 0 }
}
