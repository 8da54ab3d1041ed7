import PonosContainersTesting
import PonosCore
import PonosCrypto
@testable import PonosExecutor
import PonosStoreTesting
import PonosTesting
import Synchronization
import Testing
@testable import PonosStore
@testable import PonosSystem

@Suite("Failpoints")
struct FailpointsTests {
  @Test("nothing is armed without the variable")
  func nothingIsArmedWithoutVariable() throws {
    #expect(try !Failpoints(environment: [:]).isArmed)
    #expect(try !Failpoints(environment: [Failpoints.variable: ""]).isArmed)
    Failpoints.disarmed.pass(.runAssigned)
  }

  @Test("a name, and a count with it")
  func nameAndCountWithIt() throws {
    let (point, count) = try Failpoints.parse("journal.accepted")
    #expect(point == .journalAccepted && count == 1)
    let (other, third) = try Failpoints.parse("commit.durable:3")
    #expect(other == .commitDurable && third == 3)
  }

  @Test(
    "anything else keeps the daemon from starting",
    arguments: ["journal", "journal.accepted:", "journal.accepted:0", "journal.accepted:x", "journal.accepted:1:2", ":1", " "])
  func anythingElseKeepsDaemonFromStarting(text: String) {
    let error = #expect(throws: FailpointError.self) { try Failpoints(environment: [Failpoints.variable: text]) }
    #expect(error?.description.contains("'\(text)'") == true)
    #expect(error?.description.contains(Failpoints.variable) == true)
  }

  @Test("names are places and steps, and there are enough of them")
  func namesArePlacesAndSteps() {
    #expect(Failpoint.allCases.count >= 30)
    for point in Failpoint.allCases {
      #expect(point.rawValue.wholeMatch(of: /[a-z]+\.[a-z]+/) != nil, "\(point.rawValue)")
    }
  }

  @Test("a pipeline and a store that are not armed are left as they are")
  func pipelineAndStoreThatAreNotArmedAreLeftAsTheyAre() {
    #expect(Failpoints.disarmed.watching(MemoryStore()) is MemoryStore)
    #expect(Failpoints.disarmed.watching([]).isEmpty)
    #expect(Failpoints.disarmed.interceptors.isEmpty)
  }

  @Test("a task's walk passes the failpoints in the order of its steps")
  func tasksWalkPassesFailpointsInOrderOfItsSteps() async throws {
    let passed = Mutex<[Failpoint]>([])
    let failpoints = Failpoints { point in passed.withLock { $0.append(point) } }
    let rig = try PipelineRig(store: FailpointStore(MemoryStore(), failpoints), wrap: failpoints.watching)
    try await rig.run { rig in
      rig.publish(.echo())
      _ = try #require(await rig.unary.submit(try PipelineRig.submission())?.signed)
      try await eventually { passed.withLock { $0.last == .runDelivered } }
    }
    #expect(
      passed.withLock { $0 } == [
        .journalAccepted, .runAssigned, .journalExecuting, .runReplied, .runCollected, .runReleased, .runSigned,
        .journalSigned, .runDelivered,
      ])
  }

  @Test("with a key outside of the process, digest and signature are recorded in two steps")
  func withKeyOutsideOfProcess() async throws {
    let passed = Mutex<[Failpoint]>([])
    let failpoints = Failpoints { point in passed.withLock { $0.append(point) } }
    let keys = KeyRing(SignatureCurve.allCases.map { TestKeys.executor($0) }).asIfOutside
    let rig = try PipelineRig(store: FailpointStore(MemoryStore(), failpoints), keys: keys, wrap: failpoints.watching)
    try await rig.run { rig in
      rig.publish(.echo())
      _ = try #require(await rig.unary.submit(try PipelineRig.submission())?.signed)
      try await eventually { passed.withLock { $0.last == .runDelivered } }
    }
    #expect(passed.withLock { $0.suffix(4) } == [.journalCollected, .runSigned, .journalSigned, .runDelivered])
  }

  @Test("a process that is to end between digest and signature takes two steps, and no other does")
  func processThatIsToEndBetweenDigestAndSignatureTakes() throws {
    let keys = KeyRing(SignatureCurve.allCases.map { TestKeys.executor($0) })
    for point in Failpoint.allCases {
      let failpoints = try Failpoints(environment: [Failpoints.variable: point.rawValue])
      for curve in SignatureCurve.allCases {
        #expect(failpoints.watching(keys)[curve]?.isInThisProcess == (point != .journalCollected))
      }
    }
  }
}

/// A store behind failpoints is still a store.
@Suite struct FailpointStoreTests {
  @Test(arguments: ExecutorStoreConformance.cases)
  func conforms(_ conformance: ExecutorStoreConformance.Case) async throws {
    try await conformance.run(FailpointStore(MemoryStore(), Failpoints { _ in }))
  }

  @Test(arguments: DeliveryConformance.cases)
  func keepsOutcomes(_ conformance: DeliveryConformance.Case) async throws {
    try await conformance.run(FailpointStore(MemoryStore(), Failpoints { _ in }))
  }
}
