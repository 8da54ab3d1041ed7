/// Tasks by outcome since the daemon started, and by phase now.
package struct TaskCounts: Sendable, Equatable, Codable {
  package var received: Int
  package var refused: Int
  package var accepted: Int
  package var signed: Int
  package var failed: Int
  /// Now in the queues.
  package var waiting: Int
  /// Now with performers.
  package var executing: Int

  package init(received: Int, refused: Int, accepted: Int, signed: Int, failed: Int, waiting: Int, executing: Int) {
    self.received = received
    self.refused = refused
    self.accepted = accepted
    self.signed = signed
    self.failed = failed
    self.waiting = waiting
    self.executing = executing
  }
}
