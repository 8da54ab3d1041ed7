import FoundationEssentials
import PonosCore
import PonosDocker

/// The networks performers live in: one of our own for each AVS, or the one the operator named.
package struct PerformerNetworks: Sendable {
  let docker: DockerClient
  let installationID: String
  /// The operator's network; nil for our own.
  let joinedNetwork: String?
  /// The routes of this host, as `IPv4Subnet.routed(by:)` reads them; empty text where the system has none to show.
  var routes: @Sendable () -> String = { (try? String(contentsOfFile: "/proc/net/route", encoding: .utf8)) ?? "" }

  /// Subnets of the reserve that are tried for one network: others may take some between two looks.
  private static let reserveTries = 16
  /// What engines say when their address pools are used up: up to version 26, and from 27 on.
  private static let exhaustedTexts = ["non-overlapping IPv4 address pool", "address pools have been fully subnetted"]
  /// What engines say of a subnet that another network of theirs has.
  private static let overlapText = "Pool overlaps"

  /// Our networks' bridges, and their names, begin with this: firewall rules can match `ponos-+`.
  package static let prefix = "ponos-"

  /// The name of the network of `avs`, which is created when it is missing.
  func ensure(for avs: EthereumAddress) async throws(DockerError) -> String {
    let wanted = creation(for: avs)
    if let existing = try await docker.network(wanted.name) {
      try check(existing, against: wanted)
      return existing.name
    }
    do throws(DockerError) {
      _ = try await docker.createNetwork(wanted)
    } catch {
      if Self.isExhausted(error) {
        try await createFromReserve(wanted, error)
      } else if error.code != .conflict {
        // On a conflict another deployment was faster.
        throw error
      }
    }
    return wanted.name
  }

  /// Creates a network beside the engine's address pools.
  ///
  /// - Parameter exhausted: What the engine said of its pools.
  private func createFromReserve(_ wanted: NetworkCreation, _ exhausted: DockerError) async throws(DockerError) {
    let routed = IPv4Subnet.routed(by: routes())
    for subnet in AddressReserve.candidates(for: wanted.name, notIn: routed, limit: Self.reserveTries) {
      var network = wanted
      network.subnet = subnet.description
      do throws(DockerError) {
        _ = try await docker.createNetwork(network)
        return
      } catch {
        if error.code == .conflict { return }
        guard error.cause?.contains(Self.overlapText) == true else { throw error }
      }
    }
    throw DockerError(
      exhausted.code, exhausted.message, status: exhausted.status, cause: exhausted.cause,
      cure: "The engine has no addresses left for another network: remove networks that nobody uses (docker network prune), or "
        + "give dockerd a larger --default-address-pool.")
  }

  private static func isExhausted(_ error: DockerError) -> Bool {
    exhaustedTexts.contains { error.cause?.contains($0) == true }
  }

  /// Removes our own network of `avs`. Networks of operators and of other performers stay.
  func remove(for avs: EthereumAddress) async throws(DockerError) {
    guard joinedNetwork == nil else { return }
    try await docker.removeNetwork(creation(for: avs).name)
  }

  /// Networks of our own for all AVSs, also those that an earlier configuration left.
  func owned() async throws(DockerError) -> [(avs: EthereumAddress, id: String)] {
    try await docker.networks(labels: ["\(ContainerLabels.installation)=\(installationID)"]).compactMap { network in
      network.labels[ContainerLabels.avs].flatMap { EthereumAddress(hex: $0) }.map { ($0, network.id) }
    }
  }

  /// Removes one of our own networks; throws while containers are in it.
  func remove(id: String) async throws(DockerError) {
    try await docker.removeNetwork(id)
  }

  private func creation(for avs: EthereumAddress) -> NetworkCreation {
    let labels = [ContainerLabels.installation: installationID]
    if let joinedNetwork { return NetworkCreation(name: joinedNetwork, labels: labels) }
    let name = Self.ownName(installationID: installationID, avs: avs)
    return NetworkCreation(
      name: name, isInternal: true,
      options: ["com.docker.network.bridge.name": name, "com.docker.network.bridge.enable_icc": "false"],
      labels: labels.merging([ContainerLabels.avs: avs.description]) { first, _ in first })
  }

  private func check(_ existing: NetworkDetails, against wanted: NetworkCreation) throws(DockerError) {
    // The configuration refuses these by name; an id or another name may lead to them as well.
    guard !["host", "null"].contains(existing.driver) else {
      throw DockerError(
        .conflict,
        "The network \(existing.name) would leave performers without a network of their own (driver \(existing.driver))",
        cure: "Give performerNetworkName the name of a bridge network, or leave it out.")
    }
    guard joinedNetwork == nil else { return }
    guard existing.isInternal, existing.labels[ContainerLabels.installation] == installationID else {
      throw DockerError(
        .conflict, "A network called \(existing.name) exists that is not ours or not internal",
        cure: "Remove it (docker network rm \(existing.name)).")
    }
  }

  /// At most 15 characters, since the bridge has the same name: the prefix and 36 bits of a hash of installation and AVS.
  static func ownName(installationID: String, avs: EthereumAddress) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in Array(installationID.utf8) + avs.bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    let digits = String(hash >> 28, radix: 16)
    return prefix + String(repeating: "0", count: 9 - digits.count) + digits
  }
}
