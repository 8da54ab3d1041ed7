import PonosCore

extension ConfigurationAssembly {
  /// Warns of every listener that others than this host can use without a proof.
  func reportOpenDoors(_ config: ExecutorConfig) {
    let management = root.section("management")
    if !config.managementAuthentication, config.management.allowsRemote, !Self.isLoopback(config.listenAddress) {
      report.add(
        .warning, .openDoor, key: management.path.appending(key: "allowRemote"), origin: management.origin("allowRemote"),
        "whoever reaches port \(config.managementPort) can replace performers: management is open to other hosts and asks for no proof",
        cure: "set authentication.enabled, or listen on a network that only you reach")
    }
    let operations = root.section("operations")
    if !Self.isLoopback(config.operations.address) {
      report.add(
        .warning, .openDoor, key: operations.path.appending(key: "address"), origin: operations.origin("address"),
        "whoever reaches port \(config.operations.port) can read state and metrics, and names of hosts are not checked",
        cure: "listen on 127.0.0.1 and let a proxy ask for a password, or a firewall admit your monitoring only")
    }
  }

  private static func isLoopback(_ address: String) -> Bool { address.hasPrefix("127.") || address == "::1" }
}
