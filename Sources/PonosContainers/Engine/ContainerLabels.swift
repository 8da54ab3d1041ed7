import PonosCore

/// What every container and network of ours is labelled with, so that a later daemon finds and a person recognises them.
package enum ContainerLabels {
  /// Id of the installation (its store) that owns the object. Objects without it, or with another one, are never touched.
  package static let installation = "dev.ponos.installation"
  /// Address of the AVS, lower-case hex.
  package static let avs = "dev.ponos.avs"
  package static let performer = "dev.ponos.performer"
  /// Decimal; rises with each container created for a performer.
  package static let generation = "dev.ponos.generation"
}

/// Which container of which performer.
package struct ContainerIdentity: Sendable, Equatable {
  package var performerID: String
  package var avs: EthereumAddress
  package var generation: Int

  package init(performerID: String, avs: EthereumAddress, generation: Int) {
    self.performerID = performerID
    self.avs = avs
    self.generation = generation
  }

  /// The labels of the container.
  func labels(installationID: String) -> [String: String] {
    [
      ContainerLabels.installation: installationID, ContainerLabels.avs: avs.description,
      ContainerLabels.performer: performerID, ContainerLabels.generation: "\(generation)",
    ]
  }
}
