/// Why a session is over.
package enum SessionEnd: Hashable, Sendable {
  /// The connection broke, or its peer closed it without a word.
  case disconnected(String)
  /// The peer said goodbye.
  case peerLeft(Goodbye)
  /// Nothing was heard of the peer for two of its heartbeats.
  case peerSilent
  /// The handshake was not done in time.
  case handshakeTimedOut
  /// Newer peers took the session's place before its peer had proven who it is.
  case crowdedOut
  /// The peer did what the protocol forbids.
  case violation(String)
  /// The peer is not who it says it is, or is unknown here.
  case unauthenticated(code: String, message: String)
  /// The peer cannot be checked, or answered, at the moment.
  case unavailable(code: String, message: String)
  /// The same aggregator opened a newer session for the same AVS.
  case superseded
  /// This end stops.
  case stopping

  /// Stable name: metric label, log field, code of the goodbye.
  package var code: String {
    switch self {
    case .disconnected: "disconnected"
    case .peerLeft: "peer_left"
    case .peerSilent: "peer_silent"
    case .handshakeTimedOut: "handshake_timed_out"
    case .crowdedOut: "crowded_out"
    case .violation: "protocol_violation"
    case .unauthenticated(let code, _), .unavailable(let code, _): code
    case .superseded: "superseded"
    case .stopping: "stopping"
    }
  }

  package var message: String {
    switch self {
    case .disconnected(let how): "the connection ended: \(how)"
    case .peerLeft(let goodbye): "the peer ended the session: \(goodbye.message) (\(goodbye.code))"
    case .peerSilent: "the peer was silent for two heartbeats"
    case .handshakeTimedOut: "hello and proof did not come in time"
    case .crowdedOut: "too many peers are in their handshake; open a new session shortly"
    case .violation(let what): what
    case .unauthenticated(_, let message), .unavailable(_, let message): message
    case .superseded: "a newer session of the same aggregator and AVS took over"
    case .stopping: "this end is stopping; open a new session shortly"
    }
  }

  /// The last message to the peer; nil when the peer is gone.
  package var goodbye: Goodbye? {
    switch self {
    case .disconnected, .peerLeft: nil
    case .peerSilent, .handshakeTimedOut, .crowdedOut, .stopping, .unavailable:
      Goodbye(code: code, message: message, retryAfter: 1000)
    case .violation, .unauthenticated, .superseded: Goodbye(code: code, message: message, retryAfter: nil)
    }
  }
}
