import PonosCore

/// A performer that should exist, and the container it was last seen in.
package struct PerformerRecord: Sendable, Equatable, Codable {
  /// Which of an AVS's two slots the performer holds.
  package enum Role: String, Sendable, Equatable, Codable {
    /// Being brought up by a deployment that has not finished; rolled back after a crash.
    case staged
    case inService
  }

  /// `performer-<avs>-<uuid>`.
  package var id: String
  package var spec: PerformerSpec
  /// Its number among the replicas of the AVS, from 0.
  package var replica: Int
  package var origin: PerformerOrigin
  package var role: Role
  /// `deployment-<avs>-<uuid>`.
  package var deploymentID: String
  /// Rises with each container created for this performer; part of its labels.
  package var generation: Int
  /// nil until a container was created.
  package var containerID: String?
  /// Id of the image its containers run, so that a tag that moves on does not change what is in service. nil until the image was
  /// found, and in records of versions that did not keep it.
  package var imageID: String?
  package var createdAt: UnixMilliseconds

  package init(
    id: String, spec: PerformerSpec, replica: Int = 0, origin: PerformerOrigin, role: Role, deploymentID: String, generation: Int,
    containerID: String?, imageID: String? = nil, createdAt: UnixMilliseconds
  ) {
    self.id = id
    self.spec = spec
    self.replica = replica
    self.origin = origin
    self.role = role
    self.deploymentID = deploymentID
    self.generation = generation
    self.containerID = containerID
    self.imageID = imageID
    self.createdAt = createdAt
  }

  package var replicaID: ReplicaID { ReplicaID(avs: spec.avs, replica: replica) }
}
