/// Places of the queue that are not taken, and the tasks that the memory left for payloads has room for.
package struct QueueRoom: Sendable, Equatable {
  /// That tasks of one AVS may take.
  package var ofAVS: Int
  /// That there are for all together.
  package var total: Int
  /// Tasks of the size that is expected of the AVS, by what is left of its memory.
  package var fittingOfAVS: Int
  /// The same by what is left for all together. Of another size than those of other AVSs, so never to be added up with theirs.
  package var fittingTotal: Int

  package init(ofAVS: Int, total: Int, fittingOfAVS: Int = .max, fittingTotal: Int = .max) {
    self.ofAVS = ofAVS
    self.total = total
    self.fittingOfAVS = fittingOfAVS
    self.fittingTotal = fittingTotal
  }

  /// Tasks of the AVS that there is room for in every respect.
  package var places: Int { max(0, min(ofAVS, total, fittingOfAVS, fittingTotal)) }
}
