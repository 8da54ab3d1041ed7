import PonosCore

extension SQLiteStore: DeliveryStore {
  package func expectDeliveries(
    of ids: [TaskID], to owner: TaskOwner
  ) async throws(StoreError) -> [TaskID: TaskStanding] {
    try await writer.write("keep outcomes for aggregator \(owner.aggregator)", bytes: Self.bytes(of: ids)) { database in
      try ids.reduce(into: [:]) { $0[$1] = try DeliveryStatements.expect($1, owner, database) }
    }
  }

  package func deliveries(
    for owner: TaskOwner, excluding excluded: Set<TaskID>, limit: Int, bytes: Int
  ) async throws(StoreError) -> DeliveryPage {
    try await read("read outcomes that wait for aggregator \(owner.aggregator)") { database in
      try DeliveryStatements.page(for: owner, excluding: excluded, limit: limit, bytes: bytes, database)
    }
  }

  package func acknowledge(_ ids: [TaskID], by owner: TaskOwner) async throws(StoreError) {
    try await writer.write("note what aggregator \(owner.aggregator) acknowledged", bytes: Self.bytes(of: ids)) { database in
      try DeliveryStatements.delete(ids, owner, database)
    }
  }
}

extension SQLiteStore {
  /// A row counts as a kilobyte, since its pages are written: many ids have their transaction to themselves.
  fileprivate static func bytes(of ids: [TaskID]) -> Int { ids.count << 10 }
}
