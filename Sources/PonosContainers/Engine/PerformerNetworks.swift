import PonosCore
import PonosDocker

/// The networks performers live in: one of our own for each AVS, or the one the operator named.
package struct PerformerNetworks: Sendable {
  let docker: DockerClient
  let installationID: String
  /// The operator's network; nil for our own.
  let joinedNetwork: String?

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
      // Another deployment may have been faster.
      guard error.code == .conflict else { throw explained(error) }
    }
    return wanted.name
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

  private func explained(_ error: DockerError) -> DockerError {
    guard error.cause?.contains("non-overlapping") == true else { return error }
    return DockerError(
      error.code, error.message, status: error.status, cause: error.cause,
      cure: "The engine has no addresses left for another network: give dockerd a larger --default-address-pool.")
  }

  /// At most 15 characters, since the bridge has the same name: the prefix and 36 bits of a hash of installation and AVS.
  static func ownName(installationID: String, avs: EthereumAddress) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in Array(installationID.utf8) + avs.bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    let digits = String(hash >> 28, radix: 16)
    return prefix + String(repeating: "0", count: 9 - digits.count) + digits
  }
}
