import GRPCCore
import PonosAPI
import PonosCore
import PonosSystem

/// The task port for streams: each call is a session that an aggregator dialled.
package struct TaskStreamHandler: Ponos_V1_TaskStreamService.SimpleServiceProtocol {
  private let sessions: SessionRegistry

  package init(sessions: SessionRegistry) {
    self.sessions = sessions
  }

  package func openSession(
    request: RPCAsyncSequence<Ponos_V1_AggregatorMessage, any Error>, response: RPCWriter<Ponos_V1_ExecutorMessage>,
    context: ServerContext
  ) async throws {
    let outcome = await offEventLoop {
      await sessions.withSession(wanted: nil, peer: context.remotePeer) { session in
        await withTaskGroup(of: Void.self) { group in
          group.addTask { await session.write(to: response) }
          await session.run(reading: request)
          group.cancelAll()
        }
      }
    }
    guard let end = outcome?.end else {
      throw RPCError(code: .unavailable, message: "no further session can be opened here; try again later")
    }
    if let error = RPCError(end) { throw error }
  }
}

extension RPCError {
  /// The status of a session's call, which repeats the goodbye; nil for a session that ended well.
  fileprivate init?(_ end: SessionEnd) {
    let code: RPCError.Code
    switch end {
    case .peerLeft, .disconnected: return nil
    case .peerSilent, .handshakeTimedOut: code = .deadlineExceeded
    case .violation: code = .invalidArgument
    case .unauthenticated: code = .permissionDenied
    case .unavailable, .stopping, .crowdedOut: code = .unavailable
    case .superseded: code = .aborted
    }
    self.init(code: code, message: end.message, metadata: ["ponos-code": .string(end.code)])
  }
}
