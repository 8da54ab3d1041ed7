import Foundation
import Logging
import PonosAPI
import PonosCore
import PonosStore
import PonosSystem
import PonosTelemetry
import SwiftProtobuf

/// Brings back the tasks that an earlier process accepted and did not finish, before intake opens.
///
/// It reads and decodes pages of rows side by side, on all cores, and puts them back in their order. It neither verifies
/// signatures nor hashes contents again: both were checked before the row was written, and the row is sealed.
package struct StateRecovery: Sendable {
  /// Rows of one page.
  private static let pageSize = 1024
  /// Pages read at the same time: one more than cores, since reading also waits for the disk. The store has more read
  /// connections.
  private static let lanes = max(1, min(4, ProcessInfo.processInfo.activeProcessorCount + 1))
  /// Failures written at the same time: enough to share commits, few enough for the store's queue.
  private static let failuresAtATime = 256

  private let store: any TaskStore
  private let journal: TaskJournal
  private let validator: TaskValidator
  private let inFlight: InFlightTasks
  private let queue: TaskQueue
  private let metrics: ExecutorMetrics
  private let logger: Logger

  package init(
    store: any TaskStore, journal: TaskJournal, validator: TaskValidator, inFlight: InFlightTasks, queue: TaskQueue,
    metrics: ExecutorMetrics, logger: Logger
  ) {
    self.store = store
    self.journal = journal
    self.validator = validator
    self.inFlight = inFlight
    self.queue = queue
    self.metrics = metrics
    self.logger = logger
  }

  /// What became of the unfinished tasks.
  private struct Count {
    var unfinished = 0
    var resumed = 0
    var expired = 0
    var damaged = 0
  }

  /// Puts every unfinished task back to where it was, in the order of acceptance, with its deadline. A task whose time is over
  /// fails once intake is open, unless it lacks only its signature. A damaged row is skipped and kept.
  package func recoverTasks() async throws(StoreError) {
    let start = ContinuousClock.now
    let now = journal.now
    var count = Count()
    let pages = try await store.unfinishedPages(of: Self.pageSize)
    inFlight.reserveCapacity(forFurther: pages.count * Self.pageSize)
    let areMany = pages.count > 4
    if areMany { HeapGrowth.inLargeSteps() }
    defer { if areMany { HeapGrowth.inSmallSteps() } }
    let outcome: Result<Void, StoreError> = await withTaskGroup(of: (Int, Result<Page, StoreError>).self) { group in
      var begun = 0
      func beginNext() {
        guard begun < pages.count else { return }
        let (index, range) = (begun, pages[begun])
        begun += 1
        group.addTask { (index, await page(range, now)) }
      }
      for _ in 0..<Self.lanes { beginNext() }
      var (ready, next) = ([Int: Page](), 0)
      while let (index, outcome) = await group.next() {
        switch outcome {
        case .success(let page): ready[index] = page
        case .failure(let error): return .failure(error)
        }
        beginNext()
        while let page = ready.removeValue(forKey: next) {
          await resume(page, &count)
          next += 1
        }
      }
      return .success(())
    }
    try outcome.get()
    guard count.unfinished > 0 else { return }
    logger.notice(
      "recovered unfinished tasks",
      metadata: [
        LogKey.unfinished: "\(count.unfinished)", LogKey.resumed: "\(count.resumed)", LogKey.expired: "\(count.expired)",
        LogKey.damaged: "\(count.damaged)", LogKey.duration: "\((ContinuousClock.now - start).seconds)",
      ])
  }

  /// Takes up what was kept because the chain did not say how to sign it.
  func takeUpKeptTasks() async {
    do throws(StoreError) { try await recoverTasks() } catch {
      logger.error(
        "tasks that wait for the chain cannot be read; they are taken up at the next start",
        metadata: [LogKey.code: "\(error.code.rawValue)", LogKey.error: "\(error.message)"])
    }
  }

  // MARK: One page

  /// What recovery does with a row.
  private enum Verdict: Sendable {
    /// `isOver`: the task's time is over. `hasLostOutput`: its output is damaged, so it runs again.
    case resume(RestoredTask, isOver: Bool, hasLostOutput: Bool)
    /// The task's time is over, and it cannot be run with today's configuration.
    case expire(TaskID)
    /// The task cannot be run with today's configuration. It stays unfinished, so that a corrected one still runs it.
    case keep(TaskID, reason: String)
  }

  /// A page that was read and judged.
  private struct Page: Sendable {
    /// In the order of acceptance.
    var verdicts: [Verdict] = []
    var damaged: [StoreError] = []
  }

  /// - Parameter now: One reading for all pages, so that deadlines keep their order.
  private func page(_ range: ClosedRange<Int64>, _ now: TaskClock.Reading) async -> Result<Page, StoreError> {
    let rows: UnfinishedTasks
    do throws(StoreError) { rows = try await store.unfinishedTasks(in: range) } catch { return .failure(error) }
    var page = Page(damaged: rows.damaged)
    page.verdicts.reserveCapacity(rows.tasks.count)
    for record in rows.tasks { page.verdicts.append(await judge(record, now: now)) }
    return .success(page)
  }

  /// Runs for one page after the other, to keep the order; so it does no more than it must.
  private func resume(_ page: Page, _ count: inout Count) async {
    count.unfinished += page.verdicts.count + page.damaged.count
    count.damaged += page.damaged.count
    for error in page.damaged { report(error) }
    var expired: [TaskID] = []
    var restored: [RestoredTask] = []
    restored.reserveCapacity(page.verdicts.count)
    for verdict in page.verdicts {
      switch verdict {
      case .resume(let task, let isOver, let hasLostOutput):
        if hasLostOutput { reportLostOutput(of: task.accepted.task.submission.id) }
        // A damaged file may show a row twice.
        guard case .opened = inFlight.open(task.accepted.task) else { continue }
        // The task service ends a task whose time is over, while intake is open already.
        restored.append(task)
        if isOver { count.expired += 1 } else { count.resumed += 1 }
      case .expire(let id): expired.append(id)
      case .keep(let id, let reason):
        logger.error(
          "an accepted task cannot be run now; it is kept", metadata: [LogKey.taskID: "\(id)", LogKey.error: "\(reason)"])
      }
    }
    queue.resume(restored)
    count.expired += expired.count
    await fail(expired)
  }

  private func judge(_ record: TaskRecord, now: TaskClock.Reading) async -> Verdict {
    let isOver = Self.isOver(record, now.unix)
    func obstacle(_ reason: String) -> Verdict {
      isOver ? .expire(record.id) : .keep(record.id, reason: reason)
    }
    do {
      let message = try Eigenlayer_Hourglass_V1_TaskSubmission(serializedBytes: record.accepted.submission)
      let submission = try TaskSubmission(wire: message)
      guard submission.id == record.id else { return obstacle("its stored submission is of another task") }
      let task = try await validator.revalidate(submission, contentHash: record.accepted.contentHash)
      return .resume(
        journal.restore(record, as: task, at: now), isOver: isOver, hasLostOutput: record.damage == .output)
    } catch let rejection as Rejection {
      return obstacle(rejection.message)
    } catch {
      return obstacle("its stored submission cannot be read: \(error)")
    }
  }

  /// A task that lacks only its signature has all the time it needs.
  private static func isOver(_ record: TaskRecord, _ now: UnixMilliseconds) -> Bool {
    record.phase != .collected && record.accepted.deadline <= now
  }

  // MARK: What does not go on

  private func fail(_ expired: [TaskID]) async {
    for start in stride(from: 0, to: expired.count, by: Self.failuresAtATime) {
      await withDiscardingTaskGroup { group in
        for id in expired[start..<min(start + Self.failuresAtATime, expired.count)] { group.addTask { await fail(id) } }
      }
    }
  }

  private func fail(_ id: TaskID) async {
    do throws(TaskFailure) { try await journal.tryToFail(id, with: StoredFailure(.expiredWhileDown)) } catch {
      logger.error(
        "the end of a task whose time is over cannot be written down; it is tried again at the next start",
        metadata: [LogKey.taskID: "\(id)", LogKey.error: "\(error.message)"])
    }
  }

  private func report(_ error: StoreError) {
    metrics.storeRecordDamaged(isRepaired: false)
    logger.error(
      "an accepted task is damaged in the database and cannot be run; it is kept, restore a backup",
      metadata: [LogKey.code: "\(error.code.rawValue)", LogKey.error: "\(error.message)"])
  }

  /// The recorded digest decides whether another run's output may be signed.
  private func reportLostOutput(of id: TaskID) {
    metrics.storeRecordDamaged(isRepaired: true)
    logger.error(
      "the stored output of a task is damaged; the task runs again, and is signed if the same output comes of it",
      metadata: [LogKey.taskID: "\(id)", LogKey.code: "\(StoreError.Code.damaged.rawValue)"])
  }
}
