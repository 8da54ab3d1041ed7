import NIOCore
import Testing

@testable import PonosTransport

@Suite("Life of a connection")
struct ConnectionLifecycleTests {
  typealias Action = ConnectionLifecycle.Action

  static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  static func at(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

  /// A lifecycle that is past its handshake.
  static func open(calls: Int = 0, _ configure: (inout ConnectionLimits) -> Void = { _ in }) -> ConnectionLifecycle {
    var limits = ConnectionLimits()
    configure(&limits)
    var lifecycle = ConnectionLifecycle(limits: limits, openedAt: start)
    lifecycle.handshakeCompleted()
    for _ in 0..<calls { lifecycle.callOpened() }
    return lifecycle
  }

  @Test("a peer that never completes the handshake is dropped")
  func peerThatNeverCompletesHandshakeIsDropped() {
    var limits = ConnectionLimits()
    limits.handshakeTime = .seconds(5)
    var lifecycle = ConnectionLifecycle(limits: limits, openedAt: Self.start)
    #expect(lifecycle.nextDeadline == Self.at(5))
    let actions = [lifecycle.advance(to: Self.at(4)), lifecycle.advance(to: Self.at(5))]
    #expect(actions == [nil, .close])
    #expect(lifecycle.nextDeadline == nil)
  }

  @Test("a silent peer is pinged, and dropped if it does not answer")
  func silentPeerIsPinged() {
    var lifecycle = Self.open {
      $0.keepaliveInterval = .seconds(10)
      $0.keepaliveTimeout = .seconds(3)
    }
    let first = lifecycle.advance(to: Self.at(10))
    lifecycle.received(at: Self.at(11))
    let actions = [first, lifecycle.advance(to: Self.at(20)), lifecycle.advance(to: Self.at(21))]
    #expect(actions == [.ping, nil, .ping])
    #expect(lifecycle.nextDeadline == Self.at(24))
    let last = lifecycle.advance(to: Self.at(24))
    #expect(last == .close)
  }

  @Test("an idle connection says goodbye in order, and one with a call does not")
  func idleConnectionSaysGoodbyeInOrder() {
    var lifecycle = Self.open(calls: 1) { $0.maxIdleTime = .seconds(60) }
    let busy = [lifecycle.advance(to: Self.at(100)), lifecycle.callClosed(at: Self.at(100))]
    #expect(busy == [nil, nil])
    let goodbye = [lifecycle.advance(to: Self.at(159)), lifecycle.advance(to: Self.at(160))]
    #expect(goodbye == [nil, .announceShutdown])
    #expect(lifecycle.takesCalls && lifecycle.isIdleShutdown)
    let last = lifecycle.announcementArrived(at: Self.at(160))
    #expect(last == .sayFarewell)
    #expect(!lifecycle.takesCalls)
  }

  @Test("a drain lets calls end, and the connection closes when the last byte has left and the peer has gone")
  func drainLetsCallsEnd() {
    var lifecycle = Self.open(calls: 2)
    let announced = [lifecycle.beginShutdown(at: Self.at(1)), lifecycle.beginShutdown(at: Self.at(1))]
    #expect(announced == [.announceShutdown, nil])
    let refused = [
      lifecycle.announcementArrived(at: Self.at(1)), lifecycle.callClosed(at: Self.at(2)), lifecycle.farewellLeft(at: Self.at(2)),
    ]
    #expect(refused == [.refuseCalls, nil, nil])
    let left = [lifecycle.callClosed(at: Self.at(3)), lifecycle.advance(to: Self.at(4)), lifecycle.farewellLeft(at: Self.at(5))]
    #expect(left == [.sayFarewell, nil, .closeOutput])
    #expect(lifecycle.nextDeadline == Self.at(6))
    let closed = lifecycle.advance(to: Self.at(6))
    #expect(closed == .close)
  }

  @Test("a drain does not last for ever, whatever it waits for")
  func drainDoesNotLastForEver() {
    var stuckCall = Self.open(calls: 1) { $0.drainTime = .seconds(30) }
    _ = stuckCall.beginShutdown(at: Self.start)
    _ = stuckCall.announcementArrived(at: Self.start)
    var stuckBytes = stuckCall
    _ = stuckBytes.callClosed(at: Self.at(1))
    let (call, bytes) = (stuckCall.advance(to: Self.at(30)), stuckBytes.advance(to: Self.at(30)))
    #expect(call == .close)
    #expect(bytes == .close)
  }

  @Test("a peer that does not answer the announcement is refused calls all the same")
  func peerThatDoesNotAnswerAnnouncementIsRefusedCalls() {
    var lifecycle = Self.open { $0.announcementTime = .seconds(5) }
    let actions = [lifecycle.beginShutdown(at: Self.start), lifecycle.advance(to: Self.at(4)), lifecycle.advance(to: Self.at(5))]
    #expect(actions == [.announceShutdown, nil, .sayFarewell])
  }

  @Test("a client announces nothing and closes as soon as its last byte has left")
  func clientAnnouncesNothingAndClosesAsSoonAsItsLast() {
    var lifecycle = Self.open(calls: 1) {
      $0.announcementTime = nil
      $0.lingerTime = .zero
    }
    let actions = [
      lifecycle.beginShutdown(at: Self.start), lifecycle.callClosed(at: Self.start), lifecycle.farewellLeft(at: Self.start),
    ]
    #expect(actions == [.refuseCalls, .sayFarewell, .close])
  }

  @Test("a peer that leaves is let go when its calls have ended")
  func peerThatLeavesIsLetGoWhenItsCallsHaveEnded() {
    var lifecycle = Self.open(calls: 1)
    let actions = [lifecycle.peerIsLeaving(at: Self.start), lifecycle.beginShutdown(at: Self.start)]
    #expect(actions == [nil, nil])
    #expect(!lifecycle.takesCalls)
    let last = lifecycle.callClosed(at: Self.start)
    #expect(last == .sayFarewell)
  }

  @Test("old connections are replaced")
  func oldConnectionsAreReplaced() {
    var lifecycle = Self.open(calls: 1) { $0.maxAge = .seconds(50) }
    let action = lifecycle.advance(to: Self.at(50))
    #expect(action == .announceShutdown)
  }

  @Test("the calls of an old connection may take their time, unless its grace or a shutdown ends them")
  func callsOfOldConnectionMayTakeTheirTime() {
    var patient = Self.open(calls: 1) { $0.maxAge = .seconds(50) }
    _ = patient.advance(to: Self.at(50))
    _ = patient.announcementArrived(at: Self.at(50))
    let later = patient.advance(to: Self.at(100_000))
    #expect(later == nil)
    // The server stops: what was without end has thirty seconds left.
    let again = patient.beginShutdown(at: Self.at(100_000))
    let ends = [patient.advance(to: Self.at(100_029)), patient.advance(to: Self.at(100_030))]
    #expect(again == nil && ends == [nil, .close])

    var limited = Self.open(calls: 1) {
      $0.maxAge = .seconds(50)
      $0.maxAgeGrace = .seconds(10)
    }
    _ = limited.advance(to: Self.at(50))
    _ = limited.announcementArrived(at: Self.at(50))
    let graceEnds = [limited.advance(to: Self.at(59)), limited.advance(to: Self.at(60))]
    #expect(graceEnds == [nil, .close])

    var stuckBytes = Self.open { $0.maxAge = .seconds(50) }
    _ = stuckBytes.advance(to: Self.at(50))
    let farewell = stuckBytes.announcementArrived(at: Self.at(50))
    let closed = stuckBytes.advance(to: Self.at(80))
    #expect(farewell == .sayFarewell && closed == .close)
  }
}
