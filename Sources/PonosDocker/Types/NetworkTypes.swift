/// A network to be created.
package struct NetworkCreation: Sendable, Equatable, Encodable {
  package var name: String
  /// `bridge` on a single host.
  package var driver: String
  /// Whether its containers are kept from reaching anything outside it, except the host itself.
  package var isInternal: Bool
  package var options: [String: String]
  package var labels: [String: String]
  /// Its addresses, `198.18.4.64/26`; nil leaves the choice to the engine's address pools.
  package var subnet: String?
  /// Refuses a second network of the name on engines that would allow it.
  private let checkDuplicate = true

  package init(
    name: String, driver: String = "bridge", isInternal: Bool = false, options: [String: String] = [:],
    labels: [String: String] = [:], subnet: String? = nil
  ) {
    self.name = name
    self.driver = driver
    self.isInternal = isInternal
    self.options = options
    self.labels = labels
    self.subnet = subnet
  }

  private struct AddressManagement: Encodable {
    struct Pool: Encodable {
      var subnet: String
      private enum CodingKeys: String, CodingKey { case subnet = "Subnet" }
    }

    var pools: [Pool]
    private enum CodingKeys: String, CodingKey { case pools = "Config" }
  }

  private enum CodingKeys: String, CodingKey {
    case name = "Name", driver = "Driver", isInternal = "Internal", options = "Options", labels = "Labels"
    case checkDuplicate = "CheckDuplicate", addresses = "IPAM"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(driver, forKey: .driver)
    try values.encode(isInternal, forKey: .isInternal)
    try values.encode(options, forKey: .options)
    try values.encode(labels, forKey: .labels)
    try values.encode(checkDuplicate, forKey: .checkDuplicate)
    try values.encodeIfPresent(subnet.map { AddressManagement(pools: [.init(subnet: $0)]) }, forKey: .addresses)
  }
}

/// A network of the engine.
package struct NetworkDetails: Sendable, Equatable, Decodable {
  package let id: String
  package let name: String
  package let driver: String
  package let isInternal: Bool
  package let options: [String: String]
  package let labels: [String: String]
  /// Ids of the running containers in it; always empty in a list.
  package let containerIDs: [String]

  private struct Attachment: Decodable {}

  private enum CodingKeys: String, CodingKey {
    case id = "Id", name = "Name", driver = "Driver", isInternal = "Internal", options = "Options", labels = "Labels"
    case containers = "Containers"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decode(String.self, forKey: .id)
    name = try values.decodeIfPresent(String.self, forKey: .name) ?? ""
    driver = try values.decodeIfPresent(String.self, forKey: .driver) ?? ""
    isInternal = try values.decodeIfPresent(Bool.self, forKey: .isInternal) ?? false
    options = try values.decodeIfPresent([String: String].self, forKey: .options) ?? [:]
    labels = try values.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
    containerIDs = (try values.decodeIfPresent([String: Attachment].self, forKey: .containers) ?? [:]).keys.sorted()
  }
}
