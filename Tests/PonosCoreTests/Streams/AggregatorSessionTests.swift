import PonosCore
import Testing

/// One situation after another, as tables of what goes in and what comes out.
@Suite("An aggregator session")
struct AggregatorSessionTests {
  typealias Machine = AggregatorSessionStateMachine<Int>
  static let owner = TaskOwner(
    aggregator: EthereumAddress(unchecked: [UInt8](repeating: 1, count: 20)),
    avs: EthereumAddress(unchecked: [UInt8](repeating: 2, count: 20)))
  static let executor = EthereumAddress(unchecked: [UInt8](repeating: 3, count: 20))

  static func nonce(_ byte: UInt8) -> Digest32 { Digest32(unchecked: [UInt8](repeating: byte, count: 32)) }
  static func id(_ number: Int) -> TaskID {
    TaskID(unchecked: (0..<32).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 4))) })
  }

  static func hello(
    version: UInt32 = 1, executor: EthereumAddress = executor, heartbeat: Int64 = 1000, owner: TaskOwner = owner
  ) -> AggregatorHello {
    AggregatorHello(
      version: version, challenge: nonce(7), owner: owner, executor: executor, operatorSetID: 0, heartbeat: heartbeat)
  }

  static func machine(wanted: TaskOwner? = nil, _ change: (inout Machine.Settings) -> Void = { _ in }) -> Machine {
    var settings = Machine.Settings()
    settings.heartbeat = 1000
    settings.maxCredit = 4
    settings.maxUnacknowledged = 4
    settings.maxUnacknowledgedBytes = 100
    change(&settings)
    return Machine(
      hello: ExecutorHello(
        challenge: nonce(8), executor: executor, session: nonce(9), heartbeat: settings.heartbeat, wanted: wanted),
      settings: settings)
  }

  /// A machine whose aggregator is known and attached, with the first fetch answered.
  static func established(_ change: (inout Machine.Settings) -> Void = { _ in }) -> Machine {
    var machine = machine(change)
    _ = machine.handle(.opened, now: 0)
    _ = machine.handle(.received(.hello(hello())), now: 0)
    _ = machine.handle(.received(.proof(signature: [1])), now: 0)
    _ = machine.handle(.authenticated(proof: [2]), now: 0)
    _ = machine.handle(.attached, now: 0)
    _ = machine.handle(.fetched([], isAll: true), now: 0)
    return machine
  }

  /// The same, with all the credit there can be.
  static func supplied() -> Machine {
    var machine = established()
    _ = machine.handle(.granted(4), now: 0)
    return machine
  }

  static func submission(_ number: Int) -> AggregatorMessage {
    .submission(StreamSubmission(idText: "\(number)", task: .failure(.tooManyCallers)))
  }

  static func outcome(_ number: Int, bytes: Int = 10) -> Deliverable<Int> {
    Deliverable(id: id(number), byteCount: bytes, answer: number)
  }

  @Test("says hello first where we dialled, and second where we were dialled")
  func greetings() {
    var dialled = Self.machine()
    #expect(dialled.handle(.opened, now: 0).sent == [])
    #expect(dialled.handle(.received(.hello(Self.hello())), now: 0).sent == ["hello"])
    var dialling = Self.machine(wanted: Self.owner)
    #expect(dialling.handle(.opened, now: 0).sent == ["hello"])
    #expect(dialling.handle(.received(.hello(Self.hello())), now: 0).sent == [])
  }

  @Test("signs nothing and shows nothing before the aggregator has proven itself")
  func proofFirst() {
    var machine = Self.machine()
    _ = machine.handle(.opened, now: 0)
    _ = machine.handle(.received(.hello(Self.hello())), now: 0)
    #expect(machine.handle(.finished(Self.outcome(1)), now: 0).sent == [])
    let actions = machine.handle(.received(.proof(signature: [1])), now: 0)
    #expect(actions.sent == [] && actions.names == ["authenticate"])
    #expect(machine.owner == nil)
    #expect(machine.handle(.authenticated(proof: [2]), now: 0).names == ["send proof", "attach", "takeCredit 4"])
    #expect(machine.owner == Self.owner)
  }

  @Test(
    "ends at what the protocol forbids, with a goodbye that says so",
    arguments: [
      (AggregatorMessage.proof(signature: [1]), "protocol_violation"),
      (.hello(hello(version: 2)), "protocol_violation"),
      (.hello(hello(heartbeat: 0)), "protocol_violation"),
      (.hello(hello(executor: owner.avs)), "wrong_executor"),
      (submission(1), "protocol_violation"),
      (.acknowledgement([]), "protocol_violation"),
    ])
  func violations(message: AggregatorMessage, code: String) {
    var machine = Self.machine()
    _ = machine.handle(.opened, now: 0)
    let actions = machine.handle(.received(message), now: 0)
    #expect(actions.names == ["send goodbye \(code)", "close \(code)"])
    #expect(machine.handle(.received(.hello(Self.hello())), now: 0).isEmpty)
  }

  @Test("with another owner than was dialled ends")
  func wrongParty() {
    var machine = Self.machine(wanted: Self.owner)
    _ = machine.handle(.opened, now: 0)
    let stranger = TaskOwner(aggregator: Self.executor, avs: Self.owner.avs)
    #expect(machine.handle(.received(.hello(Self.hello(owner: stranger))), now: 0).names.last == "close wrong_aggregator")
  }

  @Test("a second hello or proof ends an established session")
  func repeatedHandshake() {
    for message in [AggregatorMessage.hello(Self.hello()), .proof(signature: [1])] {
      var machine = Self.established()
      #expect(machine.handle(.received(message), now: 0).names.last == "close protocol_violation")
    }
  }

  @Test("takes submissions as far as credit goes, and refuses the rest")
  func credit() {
    var machine = Self.established()
    #expect(machine.handle(.granted(2), now: 0).sent == ["credit 2"])
    for number in 1...2 { #expect(machine.handle(.received(Self.submission(number)), now: 0).names.first == "admit") }
    #expect(machine.handle(.received(Self.submission(3)), now: 0).sent == ["refusal no_credit"])
    // Two are being admitted, so two more may be granted, not four.
    #expect(machine.handle(.tick, now: 1).names == ["takeCredit 2"])
    #expect(machine.handle(.admitted(idText: "1"), now: 1).names == ["giveBack 1", "send receipt 1", "takeCredit 3"])
    #expect(machine.handle(.granted(3), now: 1).sent == ["credit 5"])
  }

  @Test("gives all credit back with its end, and what comes late as well")
  func creditAtTheEnd() {
    var machine = Self.established()
    _ = machine.handle(.granted(4), now: 0)
    _ = machine.handle(.received(Self.submission(1)), now: 0)
    #expect(machine.handle(.end(.disconnected("")), now: 0).names == ["giveBack 3", "close disconnected"])
    #expect(machine.handle(.admitted(idText: "1"), now: 0).names == ["giveBack 1"])
    #expect(machine.handle(.granted(2), now: 0).names == ["giveBack 2"])
  }

  @Test("sends outcomes up to the window, and reads the rest when acknowledgements make room")
  func window() {
    var machine = Self.supplied()
    for number in 1...4 { #expect(machine.handle(.finished(Self.outcome(number)), now: 0).sent == ["outcome \(number)"]) }
    #expect(machine.handle(.finished(Self.outcome(5)), now: 0).sent == [])
    #expect(machine.unacknowledged == 4)
    let actions = machine.handle(.received(.acknowledgement([Self.id(1), Self.id(2)])), now: 0)
    #expect(actions.names == ["acknowledge 2", "fetch 2 of 80 without 4"])
    #expect(machine.handle(.fetched([Self.outcome(5)], isAll: true), now: 0).sent == ["outcome 5"])
  }

  @Test("sends nothing twice: not what is unacknowledged, being deleted, or deleted while it was read")
  func nothingTwice() {
    var machine = Self.supplied()
    _ = machine.handle(.finished(Self.outcome(1)), now: 0)
    #expect(machine.handle(.finished(Self.outcome(1)), now: 0).sent == [])
    #expect(machine.handle(.resultsWait, now: 0).names == ["fetch 3 of 90 without 1"])
    _ = machine.handle(.received(.acknowledgement([Self.id(1)])), now: 0)
    #expect(machine.handle(.finished(Self.outcome(1)), now: 0).sent == [])
    _ = machine.handle(.acknowledged([Self.id(1)]), now: 0)
    // The read began before the row was gone.
    #expect(machine.handle(.fetched([Self.outcome(1), Self.outcome(2)], isAll: true), now: 0).sent == ["outcome 2"])
  }

  @Test("a task whose outcome is not acknowledged cannot be submitted again, and afterwards it can")
  func submittedAgain() {
    var machine = Self.supplied()
    _ = machine.handle(.finished(Self.outcome(1)), now: 0)
    let again = AggregatorMessage.submission(
      StreamSubmission(idText: Self.id(1).description, task: .failure(.tooManyCallers)))
    #expect(machine.handle(.received(again), now: 0).names == ["giveBack 1", "send refusal outcome_unacknowledged"])
    _ = machine.handle(.received(.acknowledgement([Self.id(1)])), now: 0)
    #expect(machine.handle(.received(again), now: 0).names.first == "giveBack 1")
    _ = machine.handle(.acknowledged([Self.id(1)]), now: 0)
    #expect(machine.handle(.received(again), now: 0).names.first == "admit")
  }

  @Test("an outcome that does not fit waits for an acknowledgement, and one larger than the window goes alone")
  func largeOutcomes() {
    var machine = Self.supplied()
    _ = machine.handle(.finished(Self.outcome(1, bytes: 70)), now: 0)
    #expect(machine.handle(.finished(Self.outcome(2, bytes: 500)), now: 0).names == ["fetch 3 of 30 without 1"])
    #expect(machine.handle(.fetched([Self.outcome(2, bytes: 500)], isAll: true), now: 0).names == [])
    #expect(machine.handle(.tick, now: 1).sent == [])
    #expect(
      machine.handle(.received(.acknowledgement([Self.id(1)])), now: 1).names == ["acknowledge 1", "fetch 4 of 100 without 1"])
    #expect(machine.handle(.fetched([Self.outcome(2, bytes: 500)], isAll: true), now: 1).sent == ["outcome 2"])
  }

  @Test("what could not be acknowledged is sent again")
  func failedAcknowledgement() {
    var machine = Self.supplied()
    _ = machine.handle(.finished(Self.outcome(1)), now: 0)
    _ = machine.handle(.received(.acknowledgement([Self.id(1)])), now: 0)
    #expect(machine.handle(.acknowledgementFailed([Self.id(1)]), now: 0).names == ["fetch 4 of 100 without 0"])
    #expect(machine.handle(.fetched([Self.outcome(1)], isAll: true), now: 0).sent == ["outcome 1"])
  }

  @Test("a read that failed is tried again at the next tick, not at once")
  func failedFetch() {
    var machine = Self.supplied()
    #expect(machine.handle(.resultsWait, now: 0).names == ["fetch 4 of 100 without 0"])
    #expect(machine.handle(.fetchFailed, now: 0).names == [])
    #expect(machine.handle(.tick, now: 1).names == ["fetch 4 of 100 without 0"])
  }

  @Test("speaks within its heartbeat, and notices a silent peer at two of the peer's")
  func heartbeats() {
    var machine = Self.supplied()
    #expect(machine.handle(.tick, now: 999).sent == [])
    #expect(machine.handle(.tick, now: 1000).sent == ["heartbeat"])
    #expect(machine.handle(.received(.heartbeat), now: 1500).sent == [])
    #expect(machine.handle(.tick, now: 3499).names == ["send heartbeat"])
    #expect(machine.handle(.tick, now: 3500).names.suffix(2) == ["send goodbye peer_silent", "close peer_silent"])
  }

  @Test("a handshake has an end, and a stranger gets no heartbeats")
  func slowHandshake() {
    var machine = Self.machine { $0.handshakeLimit = 5000 }
    _ = machine.handle(.opened, now: 10)
    #expect(machine.handle(.tick, now: 5009).sent == [])
    #expect(machine.handle(.tick, now: 5010).names.last == "close handshake_timed_out")
  }

  @Test("a goodbye of the peer needs no answer")
  func goodbye() {
    var machine = Self.established()
    let goodbye = Goodbye(code: "stopping", message: "", retryAfter: nil)
    #expect(machine.handle(.received(.goodbye(goodbye)), now: 0).names == ["close peer_left"])
  }
}

extension Array where Element == AggregatorSessionTests.Machine.Action {
  /// What is sent, in words.
  var sent: [String] {
    names.compactMap { $0.hasPrefix("send ") ? String($0.dropFirst(5)) : nil }
  }

  /// Every action, in words.
  var names: [String] {
    map { action in
      switch action {
      case .send(let message): "send \(Self.name(of: message))"
      case .authenticate: "authenticate"
      case .attach: "attach"
      case .takeCredit(let count): "takeCredit \(count)"
      case .giveBackCredit(let count): "giveBack \(count)"
      case .admit: "admit"
      case .fetch(let excluded, let limit, let bytes): "fetch \(limit) of \(bytes) without \(excluded.count)"
      case .acknowledge(let ids): "acknowledge \(ids.count)"
      case .cancel: "cancel"
      case .reconcile: "reconcile"
      case .close(let end): "close \(end.code)"
      }
    }
  }

  private static func name(of message: ExecutorMessage<Int>) -> String {
    switch message {
    case .hello: "hello"
    case .proof: "proof"
    case .credit(let total): "credit \(total)"
    case .receipt(let idText): "receipt \(idText)"
    case .refusal(let refusal): "refusal \(refusal.code)"
    case .outcome(_, let answer): "outcome \(answer)"
    case .cancellation: "cancellation"
    case .standings: "standings"
    case .heartbeat: "heartbeat"
    case .goodbye(let goodbye): "goodbye \(goodbye.code)"
    }
  }
}
