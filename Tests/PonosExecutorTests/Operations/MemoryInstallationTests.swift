import PonosCore
import PonosTesting
import Testing
@testable import PonosConfiguration
@testable import PonosStore

@Suite("The installation of a store without a memory")
struct MemoryInstallationTests {
  private let config: ExecutorConfig

  init() {
    var config = StateDumpFixture.config
    // Other runs of this test on the host must not be the same installation.
    config.chain.chainID = .random(in: 1...(.max))
    self.config = config
  }

  @Test("is the same at each start of the same executor, and another one for any other")
  func isTheSameAtEachStartOfTheSameExecutor() async throws {
    let first = try MemoryStore(claiming: config.memoryInstallationID)
    let id = try await first.installationID()
    #expect(id.wholeMatch(of: /memory-[0-9a-f]{32}/) != nil)
    try await first.close()
    let second = try MemoryStore(claiming: config.memoryInstallationID)
    #expect(try await second.installationID() == id)
    var others = [config, config, config, config]
    others[0].taskPort += 1
    others[1].managementPort += 1
    others[2].chain.chainID -= 1
    others[3].identity.address = .random
    for other in others { #expect(try await MemoryStore(claiming: other.memoryInstallationID).installationID() != id) }
  }

  @Test("belongs to one process at a time")
  func belongsToOneProcessAtTime() async throws {
    let first = try MemoryStore(claiming: config.memoryInstallationID)
    let error = #expect(throws: StoreError.self) { try MemoryStore(claiming: config.memoryInstallationID) }
    #expect(error?.code == .locked)
    try await first.close()
    _ = try MemoryStore(claiming: config.memoryInstallationID)
  }

  @Test("is a new one for an executor whose ports the system chooses")
  func isNewOneForExecutorWhosePortsSystemChooses() async throws {
    var config = config
    config.taskPort = 0
    let stores = [try MemoryStore(claiming: config.memoryInstallationID), try MemoryStore(claiming: config.memoryInstallationID)]
    #expect(try await stores[0].installationID() != stores[1].installationID())
  }
}
