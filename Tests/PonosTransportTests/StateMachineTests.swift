import GRPCCore
import NIOCore
import NIOHPACK
import Testing

@testable import PonosTransport

@Suite("State machines")
struct StateMachineTests {
  static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  static func lifecycle(_ configure: (inout ConnectionLimits) -> Void = { _ in }) -> ConnectionLifecycle {
    var limits = ConnectionLimits()
    configure(&limits)
    return ConnectionLifecycle(limits: limits, openedAt: start)
  }

  @Test("a peer that never completes the handshake is dropped")
  func handshake() {
    var lifecycle = Self.lifecycle { $0.handshakeTime = .seconds(5) }
    #expect(lifecycle.nextDeadline == Self.start + .seconds(5))
    #expect(lifecycle.advance(to: Self.start + .seconds(4)) == nil)
    #expect(lifecycle.advance(to: Self.start + .seconds(5)) == .close)
    #expect(lifecycle.nextDeadline == nil)
  }

  @Test("a silent peer is pinged, and dropped if it does not answer")
  func keepalive() {
    var lifecycle = Self.lifecycle { $0.keepaliveInterval = .seconds(10); $0.keepaliveTimeout = .seconds(3) }
    lifecycle.handshakeCompleted()
    #expect(lifecycle.advance(to: Self.start + .seconds(10)) == .ping)
    lifecycle.received(at: Self.start + .seconds(11))
    #expect(lifecycle.advance(to: Self.start + .seconds(20)) == nil)
    #expect(lifecycle.advance(to: Self.start + .seconds(21)) == .ping)
    #expect(lifecycle.nextDeadline == Self.start + .seconds(24))
    #expect(lifecycle.advance(to: Self.start + .seconds(24)) == .close)
  }

  @Test("an idle connection says goodbye in order, and one with a call does not")
  func idle() {
    var lifecycle = Self.lifecycle { $0.maxIdleTime = .seconds(60) }
    lifecycle.handshakeCompleted()
    lifecycle.callOpened()
    #expect(lifecycle.advance(to: Self.start + .seconds(100)) == nil)
    #expect(lifecycle.callClosed(at: Self.start + .seconds(100)) == nil)
    #expect(lifecycle.advance(to: Self.start + .seconds(159)) == nil)
    #expect(lifecycle.advance(to: Self.start + .seconds(160)) == .announceShutdown)
    #expect(lifecycle.takesCalls)
    #expect(lifecycle.announcementArrived() == .refuseCalls)
    #expect(!lifecycle.takesCalls)
    #expect(lifecycle.closeIfDrained() == .close)
  }

  @Test("a drain lets calls end, but not for ever")
  func drain() {
    var lifecycle = Self.lifecycle { $0.drainTime = .seconds(30) }
    lifecycle.handshakeCompleted()
    lifecycle.callOpened()
    lifecycle.callOpened()
    #expect(lifecycle.beginShutdown(at: Self.start) == .announceShutdown)
    #expect(lifecycle.beginShutdown(at: Self.start) == nil)
    #expect(lifecycle.announcementArrived() == .refuseCalls)
    #expect(lifecycle.callClosed(at: Self.start) == nil)
    var patient = lifecycle
    #expect(patient.callClosed(at: Self.start) == .close)
    #expect(lifecycle.advance(to: Self.start + .seconds(29)) == nil)
    #expect(lifecycle.advance(to: Self.start + .seconds(30)) == .close)
  }

  @Test("old connections are replaced")
  func age() {
    var lifecycle = Self.lifecycle { $0.maxAge = .seconds(50) }
    lifecycle.handshakeCompleted()
    lifecycle.callOpened()
    #expect(lifecycle.advance(to: Self.start + .seconds(50)) == .announceShutdown)
  }

  @Test("the connection's window is refilled at half, and not while too much is unread")
  func receiveBudget() {
    var budget = ConnectionReceiveBudget(windowSize: 1_000, limit: 2_000, currentWindow: 1_000)
    budget.hold(499)
    #expect(budget.windowChanged(to: 501) == nil)
    budget.hold(1)
    #expect(budget.windowChanged(to: 500) == 500)
    budget.hold(1_600)
    budget.messageCompleted()
    #expect(budget.windowChanged(to: 100) == nil)
    #expect(!budget.isWedged)
    #expect(budget.messageRead(500) == 900)
    budget.hold(1_000)
    #expect(budget.isWedged)
  }

  @Test("credit is returned in halves of a window and never twice")
  func receiveWindow() {
    var window = ReceiveWindow(size: 100)
    #expect(window.release(49) == nil)
    #expect(window.release(1) == 50)
    #expect(window.release(10) == nil)
  }

  @Test("a writer waits when too much is on its way, and short calls need no report")
  func sendBudget() {
    var budget = SendBudget(limit: 10_000)
    #expect(budget.write(100) == nil)
    var reports: [Int] = []
    while !budget.isExhausted { if let report = budget.write(1_000) { reports.append(report) } }
    for report in reports { budget.completed(report) }
    #expect(!budget.isExhausted)
    #expect(reports.reduce(0, +) >= 10_000 - budget.stride)
  }

  @Test("parts are read in order, and the end comes last")
  func partQueue() {
    var queue = PartQueue<Int>()
    for round in 0..<10 {
      for number in 0..<100 { queue.append(round * 100 + number) }
      for number in 0..<100 {
        guard case .part(let entry) = queue.read() else { Issue.record("a part is missing"); return }
        #expect(entry.part == round * 100 + number)
      }
      guard case .wait = queue.read() else { Issue.record("more than was put in"); return }
    }
    queue.append(1)
    queue.finish()
    queue.append(2)
    guard case .part = queue.read(), case .end = queue.read() else { Issue.record("the end is wrong"); return }
  }

  @Test("pauses grow to their limit, with a fifth of jitter")
  func backoff() {
    var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1))
    var generator = SystemRandomNumberGenerator()
    for expected in [0.1, 0.16, 0.256, 0.4096, 0.65536, 1, 1] {
      let pause = backoff.next(using: &generator) / .seconds(1)
      #expect(pause >= expected * 0.79 && pause <= expected * 1.21)
    }
    backoff.reset()
    #expect(backoff.next(using: &generator) < .milliseconds(121))
  }

  @Test("calls wait, fail fast, are served and are turned away")
  func pool() {
    var pool = ConnectionPoolState<String, Int>()
    guard case .wait = pool.pick(waitsForReady: false, number: 1, waiter: 1),
      case .wait = pool.pick(waitsForReady: true, number: 2, waiter: 2)
    else { Issue.record("calls wait while the first attempt is made"); return }
    #expect(pool.connectFailed(RPCError(code: .unavailable, message: "no")) == [1])
    guard case .fail = pool.pick(waitsForReady: false) else { Issue.record("fails fast after a failure"); return }
    let first = pool.add("a")
    #expect(first?.served == [2])
    _ = pool.add("b")
    var used = Set<String>()
    for _ in 0..<4 { if case .use(let connection) = pool.pick(waitsForReady: false) { used.insert(connection) } }
    #expect(used == ["a", "b"])
    pool.remove(first?.number ?? 0)
    guard case .use("b") = pool.pick(waitsForReady: false) else { Issue.record("the other is left"); return }
    #expect(pool.close().connections == ["b"])
    guard case .fail(let error) = pool.pick(waitsForReady: true) else { Issue.record("closed"); return }
    #expect(error.code == .failedPrecondition)
    #expect(pool.add("c") == nil)
  }

  @Test("a server's stream: request and response end independently")
  func serverStream() throws {
    var machine = ServerStreamStateMachine(
      maxMessageBytes: 10, requestIsGzip: false, compressesResponse: false, endStream: false)
    #expect(throws: RPCError.self) { try machine.send(message: MessageBytes([1])) }
    _ = try machine.send(metadata: [:])
    #expect(throws: RPCError.self) { try machine.send(metadata: [:]) }
    let trailers = try machine.send(status: .init(code: .ok, message: ""), metadata: [:])
    #expect(trailers.map(\.name) == ["grpc-status"])
    #expect(machine.isAnswered && machine.requestIsOpen)
    #expect(machine.receive(MessageBytes([1]).framed, endStream: true))
    guard case .message = machine.nextEvent(), case .requestEnded = machine.nextEvent() else {
      Issue.record("the request goes on")
      return
    }
    #expect(!machine.requestIsOpen)
    #expect(throws: RPCError.self) { try machine.send(status: .init(code: .ok, message: ""), metadata: [:]) }
  }

  @Test("a client's stream: an answer without trailers is an error")
  func clientStream() throws {
    var machine = ClientStreamStateMachine(maxMessageBytes: 10, compressesRequest: false)
    let headers = RequestHeaders(scheme: "http", authority: "a", userAgent: "b")
    _ = try machine.begin(HeaderTests.method, metadata: [:], headers: headers)
    machine.receive([":status": "200", "content-type": "application/grpc"], endStream: false)
    guard case .metadata = machine.nextEvent() else { Issue.record("no metadata"); return }
    #expect(machine.receive(MessageBytes([1]).framed, endStream: true))
    guard case .message = machine.nextEvent(), case .status(let status, _) = machine.nextEvent() else {
      Issue.record("no status")
      return
    }
    #expect(status.code == .internalError)
    #expect(machine.isAnswered)
  }
}
