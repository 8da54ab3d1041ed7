import PonosCore
import Testing
@testable import PonosContainers

@Suite("Performer networks")
struct PerformerNetworksTests {
  @Test("have names a bridge can have, stable, and different for each installation and AVS")
  func names() {
    var names: Set<String> = []
    for installation in 0..<50 {
      for byte in UInt8(0)..<50 {
        let avs = EthereumAddress([UInt8](repeating: 0, count: 19) + [byte])!
        let name = PerformerNetworks.ownName(installationID: "installation-\(installation)", avs: avs)
        #expect(name.utf8.count == 15 && name.hasPrefix("ponos-"))
        #expect(name == PerformerNetworks.ownName(installationID: "installation-\(installation)", avs: avs))
        names.insert(name)
      }
    }
    #expect(names.count == 2500)
  }
}
