/// When we last sent and last heard something: decides when a heartbeat is due and when the peer counts as dead. In milliseconds.
struct HeartbeatTimer: Sendable {
  /// Our longest silence.
  let heartbeat: Int64
  /// The peer's longest silence; nil before its hello.
  var peerHeartbeat: Int64?
  private(set) var lastSent: Int64
  private(set) var lastHeard: Int64

  init(heartbeat: Int64, now: Int64) {
    self.heartbeat = heartbeat
    lastSent = now
    lastHeard = now
  }

  mutating func sent(at now: Int64) { lastSent = now }
  mutating func heard(at now: Int64) { lastHeard = now }

  func isHeartbeatDue(at now: Int64) -> Bool { now - lastSent >= heartbeat }

  /// Nothing was heard for two of the peer's heartbeats.
  func isPeerDead(at now: Int64) -> Bool { peerHeartbeat.map { now - lastHeard >= 2 * $0 } ?? false }
}
