import Foundation
@testable import PonosConfiguration
import Testing

@testable import PonosExecutor

@Suite struct ListenerCheckTests {
  /// A socket that listens on a port of the loopback interface which the system chose.
  private final class Occupant {
    let port: Int
    private let descriptor: Int32

    init() throws {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      self.descriptor = descriptor
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { socket in
          bind(descriptor, socket, size) == 0 && listen(descriptor, 1) == 0 && getsockname(descriptor, socket, &size) == 0
        }
      }
      port = Int(UInt16(bigEndian: address.sin_port))
      try #require(isBound)
    }

    deinit { close(descriptor) }
  }

  private func config(tasks: Int, operations: Int, address: String = "127.0.0.1") -> ExecutorConfig {
    var config = StateDumpFixture.config
    (config.listenAddress, config.taskPort, config.managementPort) = (address, tasks, tasks)
    config.operations = OperationsConfig()
    config.operations.port = operations
    return config
  }

  @Test func aPortThatIsTakenIsNamedWithItsKeyAndTheCure() throws {
    let occupant = try Occupant()
    let errors = ListenerCheck.errors(config(tasks: 0, operations: occupant.port))
    #expect(errors.map(\.key) == ["operations.port"])
    #expect(errors.first?.message.contains("127.0.0.1:\(occupant.port)") == true)
    #expect(errors.first?.message.contains("choose another port") == true)
  }

  @Test func anAddressOfAnotherHostIsNamed() {
    let errors = ListenerCheck.errors(config(tasks: 9090, operations: 0, address: "192.0.2.1"))
    #expect(errors.map(\.key) == ["grpcPort"])
    #expect(errors.first?.message.contains("no address of this host") == true)
  }

  @Test func portsThatTheSystemChoosesAreNotLookedAt() {
    #expect(ListenerCheck.errors(config(tasks: 0, operations: 0)).isEmpty)
  }
}
