/// How many further tasks the queue has room for, by each of its bounds.
package struct QueueRoom: Sendable, Equatable {
  /// Places left for the AVS.
  package var ofAVS: Int
  /// Places left for all AVSs together.
  package var total: Int
  /// Tasks of the AVS's expected size that fit into the AVS's memory.
  package var fittingOfAVS: Int
  /// Tasks of the AVS's expected size that fit into the memory of all AVSs. Expected sizes differ, so never add it up over AVSs.
  package var fittingTotal: Int

  package init(ofAVS: Int, total: Int, fittingOfAVS: Int = .max, fittingTotal: Int = .max) {
    self.ofAVS = ofAVS
    self.total = total
    self.fittingOfAVS = fittingOfAVS
    self.fittingTotal = fittingTotal
  }

  /// Tasks of the AVS that fit every bound.
  package var places: Int { max(0, min(ofAVS, total, fittingOfAVS, fittingTotal)) }
}
