/// The outcomes that were sent in a session and are not acknowledged: bounds what a slow reader can make us hold.
struct ResultWindow: Sendable {
  private let maxCount: Int
  private let maxBytes: Int
  private var sizes: [TaskID: Int] = [:]
  private(set) var bytes = 0
  /// Acknowledged by the peer; their rows are being deleted.
  private var settling: Set<TaskID> = []
  /// Deleted while a fetch was under way that may have read them before.
  private var settledDuringFetch: Set<TaskID> = []

  init(maxCount: Int, maxBytes: Int) {
    self.maxCount = maxCount
    self.maxBytes = maxBytes
  }

  var count: Int { sizes.count }
  /// Further outcomes that may be sent.
  var room: Int { bytes >= maxBytes ? 0 : maxCount - sizes.count }
  /// Bytes that may be sent.
  var byteRoom: Int { max(0, maxBytes - bytes) }
  /// What must not be sent (again).
  var excluded: Set<TaskID> { settling.union(settledDuringFetch).union(sizes.keys) }

  func contains(_ id: TaskID) -> Bool {
    sizes[id] != nil || settling.contains(id) || settledDuringFetch.contains(id)
  }

  /// Whether an outcome fits. One that is larger than the whole window fits an empty one.
  func fits(_ size: Int) -> Bool {
    sizes.isEmpty || (sizes.count < maxCount && bytes + size <= maxBytes)
  }

  mutating func sent(_ id: TaskID, size: Int) {
    sizes[id] = size
    bytes += size
  }

  mutating func acknowledge(_ ids: [TaskID]) {
    for id in ids {
      if let size = sizes.removeValue(forKey: id) { bytes -= size }
      settling.insert(id)
    }
  }

  mutating func settled(_ ids: [TaskID], isFetching: Bool) {
    settling.subtract(ids)
    if isFetching { settledDuringFetch.formUnion(ids) }
  }

  mutating func fetchEnded() {
    settledDuringFetch = []
  }
}
