/// A waiting task and what its place in the queue depends on.
package struct QueueEntry<Content: Sendable>: Sendable {
  package var id: TaskID
  package var avs: EthereumAddress
  /// Higher leaves first.
  package var priority: Int
  /// Among equal priorities the earliest deadline leaves first. Any monotone unit.
  package var deadline: Int64
  /// Among equal deadlines the first accepted leaves first.
  package var sequence: Int64
  /// What the entry keeps in memory, in bytes.
  package var byteCount: Int
  package var content: Content

  package init(
    id: TaskID, avs: EthereumAddress, priority: Int, deadline: Int64, sequence: Int64, byteCount: Int, content: Content
  ) {
    self.id = id
    self.avs = avs
    self.priority = priority
    self.deadline = deadline
    self.sequence = sequence
    self.byteCount = byteCount
    self.content = content
  }
}
