import Logging
import PonosContainersTesting
import PonosCore
import PonosExecutorTesting
import PonosStoreTesting
import PonosSystem
import PonosTesting
import Synchronization

@testable import PonosConfiguration
@testable import PonosContainers
@testable import PonosExecutor
@testable import PonosStore

/// One history of the real pipeline: intake, queue, runs, signing, delivery and recovery, driven step by step by dice, through one
/// process after another on one disk, with `PipelineModel` beside it.
struct PipelineSimulation {
  /// One process of the executor.
  private struct Life: Sendable {
    let world: SimulatedWorld
    let rig: PipelineRig
    /// Recovery and the task service.
    let work: Task<Void, Never>
    var callers: [Task<Void, Never>] = []
    /// AVSs whose performer serves.
    var serving: Set<EthereumAddress> = []
  }

  private static let callersAtATime = 40
  private static let capacity = 2

  private let submissions: SimulatedSubmissions
  private let executor = StepExecutor()
  private let disk = MemoryStore()
  private var dice: SeededGenerator
  private var now: Int64 = 1_760_000_000_000
  private var life: Life
  private var clock: TestClock
  private(set) var model = PipelineModel()
  private(set) var crashes = 0
  private(set) var diskFailures = 0
  private var lastCall = 0
  private var lastNumber = 0
  private var numbers: [TaskID: Int] = [:]

  init(seed: UInt64, submissions: SimulatedSubmissions) throws {
    dice = SeededGenerator(seed: seed)
    self.submissions = submissions
    (life, clock) = try Self.begin(on: disk, executor, at: now)
  }

  // MARK: Lives

  private static func begin(
    on disk: MemoryStore, _ executor: StepExecutor, at now: Int64
  ) throws -> (Life, TestClock) {
    let world = SimulatedWorld()
    let time = ClockReading()
    let clock = TestClock(startingAt: now) { duration in
      guard await world.sleepers.wait(time.now() + duration.milliseconds) else { throw CancellationError() }
    }
    time.follow(clock)
    let rig = try PipelineRig(
      store: SimulatedStore(base: disk, world: world), clock: clock, limits: QueueConfig(maxPerAVS: 10, maxTotal: 24),
      avs: SimulatedSubmissions.avs)
    let work = Task(executorPreference: executor) {
      do { try await rig.stateRecovery.recoverTasks() } catch { return }
      rig.admission.open()
      do { try await rig.service.run() } catch { return }
    }
    return (Life(world: world, rig: rig, work: work), clock)
  }

  /// Ends the process between any two jobs and starts another. What the dead one still does reaches nobody.
  private mutating func crash() async throws {
    crashes += 1
    try end()
    // What was on its way to the disk may have reached it.
    for observation in life.world.takeObservations() where observation.isDurable {
      if let broken = model.read(observation) { throw Difference(description: broken) }
    }
    model.crashed()
    (life, clock) = try Self.begin(on: disk, executor, at: now)
  }

  /// Lets go of everything in the process that ends, so that none of its tasks is left behind.
  func end() throws {
    life.world.end()
    life.work.cancel()
    life.rig.queue.finish()
    var jobs = 0
    while executor.readyCount > 0 {
      executor.run(at: 0)
      life.rig.admission.interruptWaitingCallers()
      jobs += 1
      guard jobs < 100_000 else { throw Difference(description: "the tasks of a dead process do not end") }
    }
  }

  // MARK: Steps

  /// What the executor did that the model does not allow.
  struct Difference: Error, CustomStringConvertible {
    let description: String
  }

  /// Does one thing. Throws `Difference` when the executor does what it must not.
  mutating func step() async throws {
    switch Int.random(in: 0..<1000, using: &dice) {
    case 0..<480: try runJob()
    case 480..<565: try submit()
    case 565..<572: try reconcile()
    case 572..<584: try acknowledge()
    case 584..<590: try cancel()
    case 590..<800: letWriteGoOn()
    case 800..<900: letPerformerAnswer()
    case 900..<962: passTime()
    case 962..<972: loseCaller()
    case 972..<993: startPerformer()
    case 993..<997: losePerformer()
    default: try await crash()
    }
  }

  private mutating func runJob() throws {
    let ready = executor.readyCount
    guard ready > 0 else { return }
    executor.run(at: Int.random(in: 0..<ready, using: &dice))
    for observation in life.world.takeObservations() {
      if let broken = model.read(observation) { throw Difference(description: broken) }
    }
    if Int.random(in: 0..<30, using: &dice) == 0 { try checkForOrphans() }
  }

  private func checkForOrphans() throws {
    guard life.rig.admission.obstacle == nil else { return }
    if let orphan = model.orphan(isInFlight: { life.rig.inFlight.task($0) != nil }) { throw Difference(description: orphan) }
  }

  private mutating func submit() throws {
    guard model.callsInHand < Self.callersAtATime else { return }
    let isNew = lastNumber == 0 || Int.random(in: 0..<10, using: &dice) < 6
    if isNew { lastNumber += 1 }
    let recent = max(1, lastNumber - (Bool.random(using: &dice) ? 20 : lastNumber))
    let number = isNew ? lastNumber : Int.random(in: recent...lastNumber, using: &dice)
    numbers[StoreRecords.taskID(number + 1)] = number
    let variant: SimulatedSubmissions.Variant =
      switch Int.random(in: 0..<10, using: &dice) {
      case 0: .otherContent
      case 1, 2: .upperCase
      default: .plain
      }
    var submission = try submissions.submission(number, variant)
    submission.urgency.priority = Int32.random(in: -2...2, using: &dice)
    if Int.random(in: 0..<8, using: &dice) == 0 { submission.urgency.deadline = now + Int64.random(in: 1...30_000, using: &dice) }
    if Int.random(in: 0..<3, using: &dice) == 0 { stream(submission) } else { call(submission) }
  }

  /// The number of a call that was made.
  private mutating func note(_ submission: TaskSubmission) -> Int {
    lastCall += 1
    model.called(
      lastCall, submission.id, contentHash: life.rig.validator.contentHash(of: submission),
      hasDeadline: submission.urgency.deadline != nil)
    return lastCall
  }

  private mutating func call(_ submission: TaskSubmission) {
    let call = note(submission)
    begin { [unary = life.rig.unary] world in world.observe(.outcome(call: call, await unary.submit(submission))) }
  }

  private mutating func stream(_ submission: TaskSubmission) {
    let call = note(submission)
    begin { [streams = life.rig.streams] world in
      let receipt: Result<TaskStanding, Rejection>
      do throws(Rejection) { receipt = .success(try await streams.receive(submission)) } catch { receipt = .failure(error) }
      world.observe(.receipt(call: call, receipt))
    }
  }

  private mutating func begin(_ work: @escaping @Sendable (SimulatedWorld) async -> Void) {
    life.callers.append(Task(executorPreference: executor) { [world = life.world] in await work(world) })
    if life.callers.count > Self.callersAtATime { life.callers.removeFirst() }
  }

  // MARK: Sessions

  /// Some of the later tasks, and whose they are; a few of somebody else.
  private mutating func someTasks() throws -> (ids: [TaskID], owner: TaskOwner) {
    let number = lastNumber == 0 ? 1 : Int.random(in: max(1, lastNumber - 30)...lastNumber, using: &dice)
    let submission = try submissions.submission(number, .plain)
    let owner = TaskOwner(aggregator: submission.aggregator, avs: submission.operatorSet.avs)
    let step = SimulatedSubmissions.avs.count
    let ids = (0..<Int.random(in: 1...6, using: &dice)).map { StoreRecords.taskID(max(1, number - $0 * step) + 1) }
    return (ids + [StoreRecords.taskID(number)], owner)
  }

  private mutating func reconcile() throws {
    let (ids, owner) = try someTasks()
    // What comes of it is seen at the disk.
    begin { [transmitter = life.rig.transmitter] _ in _ = try? await transmitter.expect(ids, by: owner) }
  }

  private mutating func acknowledge() throws {
    let (ids, owner) = try someTasks()
    begin { [transmitter = life.rig.transmitter] _ in try? await transmitter.acknowledge(ids, by: owner) }
  }

  private mutating func cancel() throws {
    let (ids, owner) = try someTasks()
    guard let id = ids.randomElement(using: &dice) else { return }
    lastCall += 1
    model.cancels(lastCall, id, owner: owner)
    let rig = life.rig
    let canceller = TaskCanceller(
      queue: rig.queue, running: rig.running, inFlight: rig.inFlight, outbox: rig.outbox, journal: rig.journal, logger: .silent)
    begin { [lastCall] world in world.observe(.cancelled(call: lastCall, await canceller.cancel(id, for: owner))) }
  }

  private mutating func letWriteGoOn() {
    let waits = life.world.disk.keys
    guard let index = waits.indices.randomElement(using: &dice) else { return }
    let fails = waits[index] == .write && Int.random(in: 0..<40, using: &dice) == 0
    if fails { diskFailures += 1 }
    life.world.disk.release(at: index, with: fails ? .fails : .reachesDisk)
  }

  private mutating func letPerformerAnswer() {
    let runs = life.world.performers.keys
    guard let index = runs.indices.randomElement(using: &dice) else { return }
    life.world.performers.release(at: index, with: answer(to: runs[index]))
  }

  private mutating func answer(to run: SimulatedWorld.Run) -> Result<PerformerReply, PerformerCallError> {
    switch Int.random(in: 0..<100, using: &dice) {
    case 0..<4: return .failure(.answeredError(code: 3, message: "no"))
    case 4..<14:
      model.lostRun(of: run.id)
      return .failure(.unreachable("the line broke"))
    case 14..<16: return .failure(.timedOut)
    case 16..<18: return .success(.echo(.random(), []))
    default:
      // Another output in every run, as of a performer that looks at the world.
      let output = (0..<8).map { _ in UInt8.random(in: .min ... .max, using: &dice) }
      model.answered(run.id, output: output)
      return .success(.echo(run.id, output))
    }
  }

  private mutating func passTime() {
    let isLong = Int.random(in: 0..<60, using: &dice) == 0
    pass(.milliseconds(Int.random(in: isLong ? 10_000...60_000 : 1...200, using: &dice)))
  }

  private mutating func pass(_ duration: Duration) {
    clock.advance(by: duration)
    now = clock.unixMilliseconds
    life.world.sleepers.release(with: true) { [now] in $0 <= now }
  }

  private mutating func loseCaller() {
    life.callers.randomElement(using: &dice)?.cancel()
  }

  // MARK: Performers

  private mutating func startPerformer() {
    guard let avs = SimulatedSubmissions.avs.filter({ !life.serving.contains($0) }).randomElement(using: &dice) else { return }
    publish(avs)
  }

  private mutating func publish(_ avs: EthereumAddress) {
    life.serving.insert(avs)
    life.rig.roster.publish(
      .init(
        performerID: "performer-\(avs)", avs: avs, capacity: Self.capacity,
        connection: SimulatedPerformer(avs: avs, world: life.world)))
  }

  private mutating func losePerformer() {
    guard let avs = life.serving.sorted(by: { $0.description < $1.description }).randomElement(using: &dice) else { return }
    life.serving.remove(avs)
    life.rig.roster.withdraw(performerID: "performer-\(avs)")
    for run in life.world.performers.keys where run.avs == avs { model.lostRun(of: run.id) }
    life.world.performers.release(with: .failure(.unreachable("its container ended"))) { $0.avs == avs }
  }

  // MARK: The end

  /// Lets everything come to rest, with a disk and performers that work; then asks for every accepted task once more.
  mutating func finish() async throws {
    try settle { $0.leftOver == nil }
    if let leftOver = model.leftOver { throw Difference(description: leftOver) }
    guard life.rig.inFlight.count == 0 else {
      throw Difference(description: "\(life.rig.inFlight.count) tasks are left in flight")
    }
    let accepted = model.accepted
    let replayedBefore = model.replayed
    var owners: Set<TaskOwner> = []
    for (id, contentHash) in accepted { try askAgain(id, contentHash) }
    try settle { $0.leftOver == nil }
    for (id, _) in accepted {
      if let difference = model.difference(from: try await disk.task(id), of: id) { throw Difference(description: difference) }
    }
    for number in 1...max(1, lastNumber) {
      let submission = try submissions.submission(number, .plain)
      let owner = TaskOwner(aggregator: submission.aggregator, avs: submission.operatorSet.avs)
      guard owners.insert(owner).inserted else { continue }
      let page = try await disk.deliveries(for: owner, excluding: [], limit: .max, bytes: .max)
      guard Set(page.tasks.map(\.id)) == model.waiting(for: owner) else {
        throw Difference(description: "other outcomes wait for \(owner.aggregator) than should")
      }
    }
    guard model.replayed - replayedBefore == model.signed else {
      throw Difference(description: "\(model.replayed - replayedBefore) of \(model.signed) signed tasks were answered again")
    }
  }

  private mutating func askAgain(_ id: TaskID, _ contentHash: Digest32) throws {
    guard let number = numbers[id] else { throw Difference(description: "\(id) was accepted and never submitted") }
    for variant in [SimulatedSubmissions.Variant.plain, .otherContent] {
      let submission = try submissions.submission(number, variant)
      if life.rig.validator.contentHash(of: submission) == contentHash { call(submission) }
    }
  }

  private mutating func settle(until isAtRest: (PipelineModel) -> Bool) throws {
    for round in 0..<3_000 {
      for avs in SimulatedSubmissions.avs where !life.serving.contains(avs) { publish(avs) }
      while executor.readyCount > 0 { try runJob() }
      while life.world.disk.count > 0 { life.world.disk.release(at: 0, with: .reachesDisk) }
      while let run = life.world.performers.keys.first {
        model.answered(run.id, output: [1])
        life.world.performers.release(at: 0, with: .success(.echo(run.id, [1])))
      }
      if executor.readyCount == 0 {
        if isAtRest(model) { return }
        pass(.milliseconds(100))
      }
      if round == 2_999 { throw Difference(description: "it does not come to rest: \(model.leftOver ?? "jobs without end")") }
    }
  }
}

/// The time of a clock that does not exist yet.
private final class ClockReading: Sendable {
  private let clock = Mutex<TestClock?>(nil)

  func follow(_ followed: TestClock) { clock.withLock { $0 = followed } }
  func now() -> Int64 { clock.withLock { $0?.unixMilliseconds } ?? 0 }
}
