/// A network to be created.
package struct NetworkCreation: Sendable, Equatable, Encodable {
  package var name: String
  /// `bridge` on a single host.
  package var driver: String
  /// Whether its containers are kept from reaching anything outside it, except the host itself.
  package var isInternal: Bool
  package var options: [String: String]
  package var labels: [String: String]
  /// Refuses a second network of the name on engines that would allow it.
  private let checkDuplicate = true

  package init(
    name: String, driver: String = "bridge", isInternal: Bool = false, options: [String: String] = [:],
    labels: [String: String] = [:]
  ) {
    self.name = name
    self.driver = driver
    self.isInternal = isInternal
    self.options = options
    self.labels = labels
  }

  private enum CodingKeys: String, CodingKey {
    case name = "Name", driver = "Driver", isInternal = "Internal", options = "Options", labels = "Labels"
    case checkDuplicate = "CheckDuplicate"
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
