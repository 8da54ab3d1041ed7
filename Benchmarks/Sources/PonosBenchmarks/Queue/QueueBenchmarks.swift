import HeapModule
import PonosCore

/// The task queue with a million tasks in it, beside a bare heap of the same number of keys: what ordering costs at the least.
///
/// Every operation leaves as many tasks behind as it found, so that a round measures one size.
enum QueueBenchmarks {
  typealias Queue = TaskQueueStateMachine<Void>

  private static let entries = 1_000_000
  private static let lanes = 8
  /// Operations between two looks at the clock.
  private static let batch = 1024

  static func measure(rounds: Int, seconds: Double, report: (Outcome) -> Void) async throws {
    try await compare(
      "Put one in, take the next out, at \(entries) tasks of \(lanes) AVSs",
      [bareHeap(), insertAndNext(blocked: 0), insertAndNext(blocked: lanes - 1)], rounds, seconds, report)
    try await compare(
      "A step of time: some expire, as many come, at \(entries) tasks", [bareHeap(), insertAndExpire()], rounds, seconds, report)
    try await compare(
      "A better one takes the last one's place, at \(entries) tasks", [bareHeap(), displace()], rounds, seconds, report)
    try await compare(
      "One is taken back by its id, another comes, at \(entries) tasks", [bareHeap(), takeBack()], rounds, seconds, report)
  }

  /// One comparison after the other, so that the queues of one are gone before those of the next are filled.
  private static func compare(
    _ title: String, _ contenders: [Contender], _ rounds: Int, _ seconds: Double, _ report: (Outcome) -> Void
  ) async throws {
    let comparison = Comparison(group: "queue", title: title, figure: .cpu, contenders: contenders)
    report(try await comparison.measure(rounds: rounds, seconds: seconds))
  }

  /// The floor: a key in, the least key out.
  private static func bareHeap() -> Contender {
    var dice = Dice()
    var heap = Heap((0..<entries).map { _ in dice.next() })
    return .computing("Heap of \(entries) integers: insert, popMin", batch: batch) {
      heap.insert(dice.next())
      _ = heap.popMin()
    }
  }

  /// - Parameter blocked: AVSs of whose tasks none can run.
  private static func insertAndNext(blocked: Int) -> Contender {
    var feed = Feed()
    var queue = filledQueue(from: &feed, overflow: .rejectNewest)
    return .computing("insert, next (\(blocked) AVSs cannot run)", batch: batch) {
      // What is put in belongs to an AVS that can run, so that the others' tasks stay.
      queue.enqueueUnbounded(feed.entry(lane: blocked + feed.anyNumber(below: lanes - blocked)))
      _ = queue.next { $0.avs.bytes[0] >= UInt8(blocked) ? () : nil }
    }
  }

  private static func insertAndExpire() -> Contender {
    var feed = Feed()
    var queue = filledQueue(from: &feed, overflow: .rejectNewest)
    var now: Int64 = 0
    return .computing("removeExpired, insert", batch: batch) {
      // A million deadlines lie within the next million steps: each step ends one or two tasks, and as many come.
      now += 1
      for entry in queue.removeExpired(now: now) { queue.enqueueUnbounded(feed.entry(like: entry, now: now)) }
    }
  }

  private static func displace() -> Contender {
    var feed = Feed()
    var queue = filledQueue(from: &feed, overflow: .dropLowestPriority)
    return .computing("reserve, fillReservation, displacing one", batch: batch) {
      let entry = feed.better()
      let bound = queue.reserve(avs: entry.avs, byteCount: 1, priority: entry.priority, deadline: entry.deadline)
      precondition(bound == nil, "a better task displaces another one")
      _ = queue.fillReservation(with: entry)
    }
  }

  private static func takeBack() -> Contender {
    var feed = Feed()
    var queue = filledQueue(from: &feed, overflow: .rejectNewest)
    var oldest: Int64 = 0
    return .computing("remove(id), insert", batch: batch) {
      oldest += 1
      let entry = queue.remove(Feed.id(of: oldest), avs: feed.address(of: oldest))
      precondition(entry != nil, "tasks leave in the order in which they came")
      queue.enqueueUnbounded(feed.entry(lane: Feed.lane(of: oldest)))
    }
  }

  private static func filledQueue(from feed: inout Feed, overflow: OverflowPolicy) -> Queue {
    var queue = Queue(limits: .init(perAVS: entries / lanes, total: entries, bytes: .max, overflow: overflow))
    for index in 0..<entries { queue.enqueueUnbounded(feed.entry(lane: index % lanes)) }
    return queue
  }

  /// Entries that never repeat.
  private struct Feed {
    private var dice = Dice()
    private var sequence: Int64 = 0
    private let addresses = (0..<QueueBenchmarks.lanes).map { lane in
      EthereumAddress(unchecked: [UInt8](repeating: UInt8(lane), count: 20))
    }

    /// The AVS of the task that `filledQueue`, and `takeBack` after it, puts in as number `sequence`, from 1.
    static func lane(of sequence: Int64) -> Int { Int((sequence - 1) % Int64(QueueBenchmarks.lanes)) }

    func address(of sequence: Int64) -> EthereumAddress { addresses[Self.lane(of: sequence)] }

    /// As unlike others as hashes are.
    static func id(of sequence: Int64) -> TaskID {
      var dice = Dice(state: UInt64(bitPattern: sequence))
      var bytes: [UInt8] = []
      for _ in 0..<4 { withUnsafeBytes(of: dice.next()) { bytes.append(contentsOf: $0) } }
      return TaskID(unchecked: bytes)
    }

    mutating func anyNumber(below bound: Int) -> Int { Int(dice.next() % UInt64(bound)) }

    mutating func entry(lane: Int) -> Queue.Entry {
      entry(addresses[lane], priority: anyNumber(below: 4), deadline: Int64(anyNumber(below: QueueBenchmarks.entries)))
    }

    /// An entry of the same AVS whose time ends within the next million steps.
    mutating func entry(like other: Queue.Entry, now: Int64) -> Queue.Entry {
      entry(other.avs, priority: other.priority, deadline: now + 1 + Int64(anyNumber(below: QueueBenchmarks.entries)))
    }

    /// An entry of higher priority than every one before it.
    mutating func better() -> Queue.Entry {
      entry(
        addresses[anyNumber(below: QueueBenchmarks.lanes)], priority: 4 + Int(sequence),
        deadline: Int64(anyNumber(below: QueueBenchmarks.entries)))
    }

    private mutating func entry(_ avs: EthereumAddress, priority: Int, deadline: Int64) -> Queue.Entry {
      sequence += 1
      return Queue.Entry(
        id: Self.id(of: sequence), avs: avs, priority: priority, deadline: deadline, sequence: sequence, byteCount: 1, content: ()
      )
    }
  }

  /// SplitMix64: cheap enough not to be what is measured, and the same numbers in every run.
  private struct Dice {
    var state: UInt64 = 42

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }
}
