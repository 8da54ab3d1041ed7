import PonosCore
import PonosSystem
import Synchronization

/// Carries messages to one supervisor. Holds at most one of each kind: a later one of the same kind replaces it.
final class PerformerMailbox: Sendable {
  enum Message: Sendable, Equatable {
    /// The performer is to go. Stays in the box: every later read finds it again.
    case retire
    case ended(containerID: String, reason: String)
    /// This number of runs in a row brought no answer.
    case hung(runs: Int)
    case probed(ProbeResult)
  }

  private struct State {
    var isRetiring = false
    var ended: Message?
    var hung: Message?
    var probed: Message?
    /// The caller of `next`.
    var readers = Waiters<Message?>()
    /// The caller of `untilRetiring`.
    var watchers = Waiters<Bool>()
    var isClosed = false
    var outcome: Result<Void, RemovalError> = .failure(.shuttingDown)
    /// Callers of `retire`.
    var retirees = Waiters<Result<Void, RemovalError>>()

    mutating func take() -> Message? {
      if isRetiring { return .retire }
      if let message = ended {
        ended = nil
        return message
      }
      if let message = hung {
        hung = nil
        return message
      }
      defer { probed = nil }
      return probed
    }
  }

  private let state = Mutex(State())

  func post(_ message: Message) {
    let (readers, next, watchers) = state.withLock { state in
      switch message {
      case .retire: state.isRetiring = true
      case .ended: state.ended = message
      case .hung: state.hung = message
      case .probed: state.probed = message
      }
      let next = state.readers.isEmpty ? nil : state.take()
      return (state.readers.takeAll(), next, state.isRetiring ? state.watchers.takeAll() : nil)
    }
    readers.resume(returning: next)
    watchers?.resume(returning: true)
  }

  /// Drops what was seen of an earlier container: it says nothing of the next one.
  func forgetObservations() {
    state.withLock { state in
      state.hung = nil
      state.probed = nil
    }
  }

  /// The most pressing message, as soon as there is one; nil once the caller is cancelled. One reader at a time.
  func next() async -> Message? {
    await state.wait(in: \.readers, cancelled: nil) { state in
      // A caller that is cancelled takes no message with it.
      Task.isCancelled ? .some(nil) : state.take().map { .some($0) }
    }
  }

  /// Returns true once the performer is to go, false once the caller is cancelled. Leaves all messages where they are: the
  /// supervisor reads later that its container has ended. One caller at a time.
  func untilRetiring() async -> Bool {
    await state.wait(in: \.watchers, cancelled: false) { $0.isRetiring ? true : nil }
  }

  /// Asks for retirement and waits for the end of it.
  func retire() async -> Result<Void, RemovalError> {
    post(.retire)
    return await state.waitUncancelled(in: \.retirees) { $0.isClosed ? $0.outcome : nil }
  }

  /// To be called when the supervisor ends: tells those who asked for retirement what came of it.
  func close(_ outcome: Result<Void, RemovalError>) {
    let retirees = state.withLock { state in
      state.isClosed = true
      state.outcome = outcome
      return state.retirees.takeAll()
    }
    retirees.resume(returning: outcome)
  }
}
