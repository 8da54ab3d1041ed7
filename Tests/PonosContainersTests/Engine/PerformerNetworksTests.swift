import Foundation
import NIOCore
import PonosCore
import PonosDocker
import PonosTesting
import Testing
@testable import PonosContainers

@Suite("Performer networks")
struct PerformerNetworksTests {
  @Test("have names a bridge can have, stable, and different for each installation and AVS")
  func haveNamesBridgeCanHave() {
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

  /// Subnets that an engine was asked for, "" where the choice was its own; the body of the last request in JSON.
  private static func subnets(_ server: ScriptedSocketServer) throws -> [String] {
    try server.requests.filter { $0.path.hasSuffix("/networks/create") }.map { request in
      let object = try JSONSerialization.jsonObject(with: Data(request.body.readableBytesView)) as? [String: Any]
      let pools = (object?["IPAM"] as? [String: Any])?["Config"] as? [[String: String]]
      return pools?.first?["Subnet"] ?? ""
    }
  }

  private static let exhausted = [
    "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    "all predefined address pools have been fully subnetted",
  ]

  @Test("take addresses of the reserve that nobody has where the engine's pools are used up", arguments: exhausted)
  func takeAddressesOfReserveThatNobodyHasWhereEngines(message: String) async throws {
    let avs = EthereumAddress.random
    let name = PerformerNetworks.ownName(installationID: "i", avs: avs)
    let wanted = AddressReserve.candidates(for: name, notIn: [], limit: 3).map(\.description)
    try await ScriptedSocketServer.run(script: { request in
      switch request.path {
      case "/version": return .version()
      case let path where path.hasSuffix("/networks/create"):
        let body = String(buffer: request.body)
        if !body.contains("IPAM") { return .reply(500, #"{"message":"\#(message)"}"#) }
        return body.contains(wanted[2])
          ? .reply(201, #"{"Id":"n"}"#)
          : .reply(403, #"{"message":"Pool overlaps with other one on this address space"}"#)
      default: return .reply(404, #"{"message":"network not found"}"#)
      }
    }) { server in
      var networks = PerformerNetworks(docker: server.client(), installationID: "i", joinedNetwork: nil)
      networks.routes = { "" }
      let ensured = try await networks.ensure(for: avs)
      #expect(ensured == name)
      let asked = try Self.subnets(server)
      #expect(asked == [""] + wanted)
    }
  }

  @Test("say what to do when nothing is left")
  func sayWhatToDoWhenNothingIsLeft() async throws {
    try await ScriptedSocketServer.run(script: { request in
      switch request.path {
      case "/version": .version()
      case let path where path.hasSuffix("/networks/create"): .reply(500, #"{"message":"\#(Self.exhausted[1])"}"#)
      default: .reply(404, #"{"message":"network not found"}"#)
      }
    }) { server in
      var networks = PerformerNetworks(docker: server.client(), installationID: "i", joinedNetwork: nil)
      // A route to 128.0.0.0/1.
      networks.routes = { "eth0\t00000080\t0\t1\t0\t0\t0\t00000080\t0\t0\t0" }
      let error = await #expect(throws: DockerError.self) { try await networks.ensure(for: .random) }
      #expect(error?.cure?.contains("default-address-pool") == true)
      let asked = try Self.subnets(server)
      #expect(asked == [""])
    }
  }
}
