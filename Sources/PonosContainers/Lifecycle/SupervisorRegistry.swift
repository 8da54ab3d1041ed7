import PonosCore
import Synchronization

/// The supervisors at work, and the mailbox through which each is told what happens to its performer.
final class SupervisorRegistry: Sendable {
  private struct Entry {
    let avs: EthereumAddress
    let mailbox: PerformerMailbox
  }

  private struct Start: Sendable {
    let performerID: String
    let supervise: @Sendable () async -> Void
  }

  private let entries = Mutex<[String: Entry]>([:])
  /// Supervisors to be run, at most one for each performer.
  private let starts: AsyncStream<Start>
  private let submission: AsyncStream<Start>.Continuation

  init() {
    (starts, submission) = AsyncStream.makeStream(of: Start.self)
  }

  /// Has a performer supervised from now on, by `supervise`, which returns when the performer is gone or the caller cancelled.
  func start(
    _ performerID: String, of avs: EthereumAddress, _ mailbox: PerformerMailbox, _ supervise: @escaping @Sendable () async -> Void
  ) {
    entries.withLock { $0[performerID] = Entry(avs: avs, mailbox: mailbox) }
    submission.yield(Start(performerID: performerID, supervise: supervise))
  }

  /// Runs every supervisor in a child task of its own, until cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      for await start in starts {
        group.addTask {
          await start.supervise()
          self.entries.withLock { $0[start.performerID] = nil }
        }
      }
    }
  }

  /// Where the supervisor of a performer is told something; nil when the performer has none.
  func mailbox(of performerID: String) -> PerformerMailbox? {
    entries.withLock { $0[performerID]?.mailbox }
  }

  /// The AVS of a performer that is supervised; nil for any other.
  func avs(of performerID: String) -> EthereumAddress? {
    entries.withLock { $0[performerID]?.avs }
  }

  /// Has all performers of an AVS retired, and returns what came of each.
  func retire(allOf avs: EthereumAddress) async -> [Result<Void, RemovalError>] {
    let mailboxes = entries.withLock { $0.values.filter { $0.avs == avs }.map(\.mailbox) }
    return await withTaskGroup(of: Result<Void, RemovalError>.self) { group in
      for mailbox in mailboxes { group.addTask { await mailbox.retire() } }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }
}
