import PonosChain
import PonosCore
import Testing

@Suite("Contracts")
struct ContractVectorTests {
  /// Checks that `call` is written as the vector's and returns what its answer is read as.
  private func answer<Answer>(_ vector: ChainVectors.Vector, _ call: ContractCall<Answer>) throws -> Answer {
    #expect(Hex.encodePrefixed(call.view.data) == vector.data)
    #expect(try call.view.contract == vector.contract)
    return try call.answer(try vector.outcome)
  }

  @Test("tell the registrar of an AVS, which is the AVS itself when it never set one")
  func registrar() throws {
    let set = try ChainVectors.named("registrar")
    let registrar = try answer(set, AllocationManager(address: try set.contract).registrar(of: try set.address(0)))
    #expect(registrar.description == "0xeb45fc1352570d252fa381d773ed6d3b2f65d3e7")
    let unset = try ChainVectors.named("registrar, AVS never set one")
    let avs = try unset.address(0)
    #expect(try answer(unset, AllocationManager(address: try unset.contract).registrar(of: avs)) == avs)
  }

  @Test("tell the operator sets of an AVS", arguments: [("config, one executor set", [1]), ("config, two executor sets", [1, 2])])
  func configuration(name: String, sets: [UInt32]) throws {
    let vector = try ChainVectors.named(name)
    let configuration = try answer(vector, TaskAVSRegistrar(address: try vector.contract).configuration())
    #expect(configuration.aggregatorSet == 0 && configuration.executorSets == sets)
  }

  @Test("that are not there, or are others, are never taken for an answer")
  func otherContracts() throws {
    let absent = try ChainVectors.named("config of an address without code")
    let missing = #expect(throws: ContractError.self) {
      try answer(absent, TaskAVSRegistrar(address: try absent.contract).configuration())
    }
    #expect(missing?.isMissingContract == true)
    let other = try ChainVectors.named("config of a contract that is no TaskAVSRegistrar")
    let wrong = #expect(throws: ContractError.self) {
      try answer(other, TaskAVSRegistrar(address: try other.contract).configuration())
    }
    #expect(wrong?.problem == .reverted([]))
  }

  @Test(
    "tell the curve of an operator set",
    arguments: [("curve ECDSA", SignatureCurve.ecdsa), ("curve BN254", .bn254), ("curve none", nil)])
  func curve(name: String, curve: SignatureCurve?) throws {
    let vector = try ChainVectors.named(name)
    let registrar = KeyRegistrar(address: try vector.contract)
    #expect(try answer(vector, registrar.curve(of: try vector.operatorSet(0))) == curve)
  }

  @Test(
    "tell ECDSA keys, and that there is none",
    arguments: [
      ("ECDSA key", "0x4418404d8c29aebfeb3c6028eaa1c0e64b1348b7"), ("ECDSA key, not registered", nil),
      ("ECDSA key asked of a BN254 set", nil), ("ECDSA key asked of an unknown set", nil),
    ])
  func ecdsaKey(name: String, address: String?) throws {
    let vector = try ChainVectors.named(name)
    let call = KeyRegistrar(address: try vector.contract)
      .ecdsaAddress(of: try vector.address(2), in: try vector.operatorSet(0))
    #expect(try answer(vector, call)?.description == address)
  }

  @Test(
    "tell BN254 keys, and that there is none",
    arguments: [("BN254 key", true), ("BN254 key, not registered", false), ("BN254 key asked of an ECDSA set", false)])
  func bn254Key(name: String, isThere: Bool) throws {
    let vector = try ChainVectors.named(name)
    let call = KeyRegistrar(address: try vector.contract).bn254Key(of: try vector.address(2), in: try vector.operatorSet(0))
    let key = try answer(vector, call)
    #expect((key != nil) == isThere)
    if let key, case .returned(let bytes) = try vector.outcome { #expect(key.g1 + key.g2 == bytes) }
  }

  @Test("tell whom a signing key belongs to", arguments: ["operator of a signing key", "operator of an unknown signing key"])
  func owner(name: String) throws {
    let vector = try ChainVectors.named(name)
    let key = Array(try vector.word(4).prefix(20))
    let owner = try answer(
      vector, KeyRegistrar(address: try vector.contract).owner(ofSigningKey: key, in: try vector.operatorSet(0)))
    #expect(owner.isRegisteredInSet == (name == "operator of a signing key"))
  }

  @Test("tell who is a member", arguments: [("member", true), ("not a member", false), ("member of an unknown set", false)])
  func membership(name: String, isMember: Bool) throws {
    let vector = try ChainVectors.named(name)
    let manager = AllocationManager(address: try vector.contract)
    #expect(try answer(vector, manager.isMember(try vector.address(0), of: try vector.operatorSet(1))) == isMember)
  }

  @Test("tell all members")
  func members() throws {
    let vector = try ChainVectors.named("members")
    let members = try answer(
      vector, AllocationManager(address: try vector.contract).members(of: try vector.operatorSet(0)))
    #expect(members.count == 4)
    #expect(members.first?.description == "0xd64ba8c9fa929e3a030a52a0ed73f13224c8c37c")
  }

  @Test("tell a task in full")
  func task() throws {
    let vector = try ChainVectors.named("task created")
    let task = try #require(
      try answer(vector, TaskMailbox(address: try vector.contract).info(of: try vector.taskID(0))))
    #expect(task.creator.description == "0x33bb60b935a1c4825e3168071872579ca097b5c5")
    #expect(task.executorSet.id == 1 && task.status == .created && task.curve == .bn254)
    #expect(task.payload == Array("hello".utf8) && task.sla == 120)
    #expect(task.deadline == task.creationTime + 120 && task.referenceTimestamp == 0x68e2_ab80)
    let unknown = try ChainVectors.named("task unknown")
    #expect(try answer(unknown, TaskMailbox(address: try unknown.contract).info(of: try unknown.taskID(0))) == nil)
  }

  @Test(
    "tell how far a task is",
    arguments: [
      ("task status created", MailboxTaskStatus.created), ("task status unknown", .none),
      ("task status expired (same task, block time past creation + SLA)", .expired),
    ])
  func status(name: String, status: MailboxTaskStatus) throws {
    let vector = try ChainVectors.named(name)
    #expect(try answer(vector, TaskMailbox(address: try vector.contract).status(of: try vector.taskID(0))) == status)
  }

  @Test("tell the domain separator")
  func domainSeparator() throws {
    let vector = try ChainVectors.named("domain separator")
    let separator = try answer(vector, ECDSACertificateVerifier(address: try vector.contract).domainSeparator())
    #expect(separator.description == "0x2b45ce0a7a0081c4e8788bd3171105dcb618008462eb6973af8fdd37a49f0994")
  }
}

@Suite("ABI decoding")
struct ABIReaderTests {
  private static let word = [UInt8](repeating: 0, count: 31) + [1]

  @Test("of every contract refuses each answer with one bit of its padding, length or offset changed")
  func bits() throws {
    let vector = try ChainVectors.named("config, two executor sets")
    guard case .returned(let bytes) = try vector.outcome else { throw CancellationError() }
    let call = TaskAVSRegistrar(address: try vector.contract).configuration()
    let right = try call.answer(.returned(bytes))
    for bit in 0..<(bytes.count * 8) {
      var changed = bytes
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      // A number may change; nothing else may, and no number may grow beyond its type.
      guard let read = try? call.answer(.returned(changed)) else { continue }
      #expect(read != right)
      #expect(bit % 256 >= 224 && [1, 4, 5].contains(bit / 256), "bit \(bit) changed and was let pass")
    }
  }

  @Test("refuses answers that are cut short or go on")
  func lengths() throws {
    let vector = try ChainVectors.named("task created")
    guard case .returned(let bytes) = try vector.outcome else { throw CancellationError() }
    let call = TaskMailbox(address: try vector.contract).info(of: try vector.taskID(0))
    for count in 0..<bytes.count {
      #expect(throws: ContractError.self) { try call.answer(.returned(Array(bytes.prefix(count)))) }
    }
    #expect(throws: ContractError.self) { try call.answer(.returned(bytes + Self.word)) }
    #expect(throws: ContractError.self) { try call.answer(.returned(bytes + [0])) }
  }

  @Test("refuses lengths and offsets beyond everything", arguments: [0x7f, 0x80, 0xff] as [UInt8])
  func hugeNumbers(byte: UInt8) throws {
    for index in [0, 2, 3] {
      let vector = try ChainVectors.named("config, two executor sets")
      guard case .returned(var bytes) = try vector.outcome else { throw CancellationError() }
      for offset in 24..<32 { bytes[index * 32 + offset] = byte }
      let call = TaskAVSRegistrar(address: try vector.contract).configuration()
      #expect(throws: ContractError.self) { try call.answer(.returned(bytes)) }
    }
  }

  @Test("never takes an empty answer for one")
  func empty() throws {
    let manager = AllocationManager(address: EthereumAddress(unchecked: [UInt8](repeating: 1, count: 20)))
    let set = OperatorSet(avs: manager.address, id: 0)
    #expect(throws: ContractError.self) { try manager.isMember(manager.address, of: set).answer(.returned([])) }
    #expect(throws: ContractError.self) { try manager.registrar(of: manager.address).answer(.returned([])) }
    #expect(throws: ContractError.self) { try manager.isMember(manager.address, of: set).answer(.reverted(nil)) }
  }
}
