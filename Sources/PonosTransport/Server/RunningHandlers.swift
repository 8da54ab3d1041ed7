import NIOCore

/// The handlers that run for one connection, which outlive it when the client goes away.
///
/// All state belongs to the event loop of the connection.
final class RunningHandlers {
  /// Handlers that have begun and not returned, those of calls that were reset included.
  private(set) var count = 0
  /// Whether handlers are told that the server is shutting down, as opposed to this connection alone.
  var areTold = false

  private let finished: EventLoopPromise<Void>
  private var isConnectionClosed = false

  /// - Parameter finished: succeeds when the connection is closed and its last handler has returned.
  init(finished: EventLoopPromise<Void>) {
    self.finished = finished
  }

  func began() {
    count += 1
  }

  func returned() {
    count -= 1
    finishIfDone()
  }

  func connectionClosed() {
    isConnectionClosed = true
    finishIfDone()
  }

  private func finishIfDone() {
    if isConnectionClosed, count == 0 { finished.succeed() }
  }
}
