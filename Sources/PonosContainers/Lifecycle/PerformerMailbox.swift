import Synchronization

/// What one supervisor is told from outside. Holds at most one message of each kind: a later one of the same kind replaces it.
final class PerformerMailbox: Sendable {
  enum Message: Sendable, Equatable {
    /// The performer is to go. Stays in the box: every later read finds it again.
    case retire
    case ended(containerID: String, reason: String)
    /// So many runs in a row brought no answer.
    case hung(runs: Int)
    case probed(HealthReport)
  }

  private struct State {
    var isRetiring = false
    var ended: Message?
    var hung: Message?
    var probed: Message?
    var reader: CheckedContinuation<Message?, Never>?
    /// Whoever waits for retirement alone.
    var watcher: CheckedContinuation<Bool, Never>?
    var isClosed = false
    var outcome: Result<Void, RemovalError> = .failure(.shuttingDown)
    var retirees: [CheckedContinuation<Result<Void, RemovalError>, Never>] = []

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

  private typealias Delivery = (CheckedContinuation<Message?, Never>?, Message?, CheckedContinuation<Bool, Never>?)

  private let state = Mutex(State())

  func post(_ message: Message) {
    let (reader, next, watcher) = state.withLock { state -> Delivery in
      switch message {
      case .retire: state.isRetiring = true
      case .ended: state.ended = message
      case .hung: state.hung = message
      case .probed: state.probed = message
      }
      defer {
        state.reader = nil
        if state.isRetiring { state.watcher = nil }
      }
      return (state.reader, state.reader == nil ? nil : state.take(), state.isRetiring ? state.watcher : nil)
    }
    reader?.resume(returning: next)
    watcher?.resume(returning: true)
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
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state -> (isReady: Bool, message: Message?) in
          if Task.isCancelled { return (true, nil) }
          if let message = state.take() { return (true, message) }
          state.reader = continuation
          return (false, nil)
        }
        if ready.isReady { continuation.resume(returning: ready.message) }
      }
    } onCancel: {
      state.withLock { state in
        defer { state.reader = nil }
        return state.reader
      }?.resume(returning: nil)
    }
  }

  /// Returns true once the performer is to go, false once the caller is cancelled. Takes no message out of the box: that a
  /// container has ended is read later by whoever serves from it. One caller at a time.
  func untilRetiring() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer = state.withLock { state -> Bool? in
          if state.isRetiring { return true }
          if Task.isCancelled { return false }
          state.watcher = continuation
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      state.withLock { state in
        defer { state.watcher = nil }
        return state.watcher
      }?.resume(returning: false)
    }
  }

  /// Asks for retirement and waits for the end of it.
  func retire() async -> Result<Void, RemovalError> {
    post(.retire)
    return await withCheckedContinuation { continuation in
      let outcome = state.withLock { state -> Result<Void, RemovalError>? in
        if state.isClosed { return state.outcome }
        state.retirees.append(continuation)
        return nil
      }
      if let outcome { continuation.resume(returning: outcome) }
    }
  }

  /// To be called when the supervisor ends: tells those who asked for retirement what came of it.
  func close(_ outcome: Result<Void, RemovalError>) {
    let retirees = state.withLock { state in
      state.isClosed = true
      state.outcome = outcome
      defer { state.retirees = [] }
      return state.retirees
    }
    retirees.forEach { $0.resume(returning: outcome) }
  }
}
