import PonosCore

extension MemoryStore: DeliveryStore {
  package func expectDeliveries(
    of ids: [TaskID], to owner: TaskOwner
  ) async throws(StoreError) -> [TaskID: TaskStanding] {
    try use { state throws(StoreError) in
      var standings: [TaskID: TaskStanding] = [:]
      for id in ids {
        guard let task = state.tasks[id], task.accepted.owner == owner else {
          standings[id] = .unknown
          continue
        }
        state.deliveries.insert(id)
        standings[id] = task.phase.isFinished ? .finished : .unfinished
      }
      return standings
    }
  }

  package func deliveries(
    for owner: TaskOwner, excluding excluded: Set<TaskID>, limit: Int, bytes: Int
  ) async throws(StoreError) -> DeliveryPage {
    try use { state throws(StoreError) in
      let waiting = state.deliveries.compactMap { state.tasks[$0] }
        .filter { $0.phase.isFinished && $0.accepted.owner == owner && !excluded.contains($0.id) }
        .sorted { ($0.finishedAt ?? 0, $0.sequence) < ($1.finishedAt ?? 0, $1.sequence) }
      var page = DeliveryPage(tasks: [], isAll: true)
      var total = 0
      for task in waiting {
        let size = task.result?.count ?? 0
        guard page.tasks.count < limit, page.tasks.isEmpty || total + size <= bytes else {
          page.isAll = false
          break
        }
        total += size
        page.tasks.append(task)
      }
      return page
    }
  }

  package func acknowledge(_ ids: [TaskID], by owner: TaskOwner) async throws(StoreError) {
    try use { state throws(StoreError) in
      for id in ids {
        guard let task = state.tasks[id], task.phase.isFinished, task.accepted.owner == owner else { continue }
        state.deliveries.remove(id)
      }
    }
  }
}

extension AcceptedTaskRecord {
  /// Whom its outcome belongs to.
  package var owner: TaskOwner { TaskOwner(aggregator: aggregator, avs: operatorSet.avs) }
}
