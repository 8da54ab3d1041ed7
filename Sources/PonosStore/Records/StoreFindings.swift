/// What a check of a store found.
package struct StoreFindings: Sendable, Equatable {
  /// Faults listed; more are counted only.
  package static let listed = 100

  /// Records looked at.
  package var records: Int
  /// One line for each fault, at most `listed` of them.
  package private(set) var faults: [String] = []
  /// All faults, also those not listed. SQLite stops counting its own at 100.
  package private(set) var count = 0

  package init(records: Int = 0) { self.records = records }

  package var isIntact: Bool { count == 0 }

  mutating func add(_ fault: String) {
    count += 1
    if faults.count < Self.listed { faults.append(fault) }
  }
}
