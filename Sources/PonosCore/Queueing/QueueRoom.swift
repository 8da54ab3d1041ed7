/// Places of the queue that are not taken.
package struct QueueRoom: Sendable, Equatable {
  /// That tasks of one AVS may take.
  package var ofAVS: Int
  /// That there are for all together.
  package var total: Int

  package init(ofAVS: Int, total: Int) {
    self.ofAVS = ofAVS
    self.total = total
  }
}
