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
    let result22 = lifecycle.advance(to: Self.start + .seconds(4))
    #expect(result22 == nil)
    let result23 = lifecycle.advance(to: Self.start + .seconds(5))
    #expect(result23 == .close)
    #expect(lifecycle.nextDeadline == nil)
  }

  @Test("a silent peer is pinged, and dropped if it does not answer")
  func keepalive() {
    var lifecycle = Self.lifecycle {
      $0.keepaliveInterval = .seconds(10); $0.keepaliveTimeout = .seconds(3)
    }
    lifecycle.handshakeCompleted()
    let result31 = lifecycle.advance(to: Self.start + .seconds(10))
    #expect(result31 == .ping)
    lifecycle.received(at: Self.start + .seconds(11))
    let result33 = lifecycle.advance(to: Self.start + .seconds(20))
    #expect(result33 == nil)
    let result34 = lifecycle.advance(to: Self.start + .seconds(21))
    #expect(result34 == .ping)
    #expect(lifecycle.nextDeadline == Self.start + .seconds(24))
    let result36 = lifecycle.advance(to: Self.start + .seconds(24))
    #expect(result36 == .close)
  }

  @Test("an idle connection says goodbye in order, and one with a call does not")
  func idle() {
    var lifecycle = Self.lifecycle { $0.maxIdleTime = .seconds(60) }
    lifecycle.handshakeCompleted()
    lifecycle.callOpened()
    let result44 = lifecycle.advance(to: Self.start + .seconds(100))
    #expect(result44 == nil)
    let result45 = lifecycle.callClosed(at: Self.start + .seconds(100))
    #expect(result45 == nil)
    let result46 = lifecycle.advance(to: Self.start + .seconds(159))
    #expect(result46 == nil)
    let result47 = lifecycle.advance(to: Self.start + .seconds(160))
    #expect(result47 == .announceShutdown)
    #expect(lifecycle.takesCalls)
    let result49 = lifecycle.announcementArrived()
    #expect(result49 == .refuseCalls)
    #expect(!lifecycle.takesCalls)
    let result51 = lifecycle.closeIfDrained()
    #expect(result51 == .close)
  }

  @Test("a drain lets calls end, but not for ever")
  func drain() {
    var lifecycle = Self.lifecycle { $0.drainTime = .seconds(30) }
    lifecycle.handshakeCompleted()
    lifecycle.callOpened()
    lifecycle.callOpened()
    let result60 = lifecycle.beginShutdown(at: Self.start)
    #expect(result60 == .announceShutdown)
    let result61 = lifecycle.beginShutdown(at: Self.start)
    #expect(result61 == nil)
    let result62 = lifecycle.announcementArrived()
    #expect(result62 == .refuseCalls)
    let result63 = lifecycle.callClosed(at: Self.start)
    #expect(result63 == nil)
    var patient = lifecycle
    let result65 = patient.callClosed(at: Self.start)
    #expect(result65 == .close)
    let result66 = lifecycle.advance(to: Self.start + .seconds(29))
    #expect(result66 == nil)
    let result67 = lifecycle.advance(to: Self.start + .seconds(30))
    #expect(result67 == .close)
  }

  @Test("old connections are replaced")
  func age() {
    var lifecycle = Self.lifecycle { $0.maxAge = .seconds(50) }
    lifecycle.handshakeCompleted()
    lifecycle.callOpened()
    let result75 = lifecycle.advance(to: Self.start + .seconds(50))
    #expect(result75 == .announceShutdown)
  }

  @Test("the connection's window is refilled at half, and not while too much is unread")
  func receiveBudget() {
    var budget = ConnectionReceiveBudget(windowSize: 1_000, limit: 2_000, currentWindow: 1_000)
    budget.hold(499)
    let result82 = budget.windowChanged(to: 501)
    #expect(result82 == nil)
    budget.hold(1)
    let result84 = budget.windowChanged(to: 500)
    #expect(result84 == 500)
    budget.hold(1_600)
    budget.messageCompleted()
    let result87 = budget.windowChanged(to: 100)
    #expect(result87 == nil)
    #expect(!budget.isWedged)
    let result89 = budget.messageRead(500)
    #expect(result89 == 900)
    budget.hold(1_000)
    #expect(budget.isWedged)
  }

  @Test("credit is returned in halves of a window and never twice")
  func receiveWindow() {
    var window = ReceiveWindow(size: 100)
    let result97 = window.release(49)
    #expect(result97 == nil)
    let result98 = window.release(1)
    #expect(result98 == 50)
    let result99 = window.release(10)
    #expect(result99 == nil)
  }

  @Test("a writer waits when too much is on its way, and short calls need no report")
  func sendBudget() {
    var budget = SendBudget(limit: 10_000)
    let result105 = budget.write(100)
    #expect(result105 == nil)
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
    let result139 = backoff.next(using: &generator)
    #expect(result139 < .milliseconds(121))
  }

  @Test("calls wait, fail fast, are served and are turned away")
  func pool() {
    var pool = ConnectionPoolState<String, Int>()
    guard case .wait = pool.pick(waitsForReady: false, number: 1, waiter: 1),
      case .wait = pool.pick(waitsForReady: true, number: 2, waiter: 2)
    else { Issue.record("calls wait while the first attempt is made"); return }
    let result148 = pool.connectFailed(RPCError(code: .unavailable, message: "no"))
    #expect(result148 == [1])
    guard case .fail = pool.pick(waitsForReady: false) else { Issue.record("fails fast after a failure"); return }
    let first = pool.add("a")
    #expect(first?.served == [2])
    _ = pool.add("b")
    var used = Set<String>()
    for _ in 0..<4 { if case .use(let connection) = pool.pick(waitsForReady: false) { used.insert(connection) } }
    #expect(used == ["a", "b"])
    pool.remove(first?.number ?? 0)
    guard case .use("b") = pool.pick(waitsForReady: false) else { Issue.record("the other is left"); return }
    let result158 = pool.close().connections
    #expect(result158 == ["b"])
    guard case .fail(let error) = pool.pick(waitsForReady: true) else { Issue.record("closed"); return }
    #expect(error.code == .failedPrecondition)
    let late = pool.add("c")?.number
    #expect(late == nil)
  }

  @Test("a server's stream: request and response end independently")
  func serverStream() throws {
    var machine = ServerStreamStateMachine(
      maxMessageBytes: 10, requestIsGzip: false, compressesResponse: false, endStream: false)
    #expect(throws: RPCError.self) { () throws in _ = try machine.send(message: MessageBytes([1])) }
    _ = try machine.send(metadata: [:])
    #expect(throws: RPCError.self) { () throws in _ = try machine.send(metadata: [:]) }
    let trailers = try machine.send(status: .init(code: .ok, message: ""), metadata: [:])
    #expect(trailers.map(\.name) == ["grpc-status"])
    #expect(machine.isAnswered && machine.requestIsOpen)
    let result174 = machine.receive(MessageBytes([1]).framed, endStream: true)
    #expect(result174)
    guard case .message = machine.nextEvent(), case .requestEnded = machine.nextEvent() else {
      Issue.record("the request goes on")
      return
    }
    #expect(!machine.requestIsOpen)
    #expect(throws: RPCError.self) { () throws in _ = try machine.send(status: .init(code: .ok, message: ""), metadata: [:]) }
  }

  @Test("a client's stream: an answer without trailers is an error")
  func clientStream() throws {
    var machine = ClientStreamStateMachine(maxMessageBytes: 10, compressesRequest: false)
    let headers = RequestHeaders(scheme: "http", authority: "a", userAgent: "b")
    _ = try machine.begin(HeaderTests.method, metadata: [:], headers: headers)
    machine.receive([":status": "200", "content-type": "application/grpc"], endStream: false)
    guard case .metadata = machine.nextEvent() else { Issue.record("no metadata"); return }
    let result190 = machine.receive(MessageBytes([1]).framed, endStream: true)
    #expect(result190)
    guard case .message = machine.nextEvent(), case .status(let status, _) = machine.nextEvent() else {
      Issue.record("no status")
      return
    }
    #expect(status.code == .internalError)
    #expect(machine.isAnswered)
  }
}
