/// What has to be done at start so that the containers of the engine match what the store and the configuration want.
///
/// Only containers labelled with our installation come in here; foreign ones are never looked at.
package struct ReconciliationPlan: Sendable, Equatable {
  /// A performer the store knows.
  package struct Stored: Sendable, Equatable {
    package var performerID: String
    package var spec: PerformerSpec
    package var origin: PerformerOrigin
    /// Whether a deployment was cut off before it put the performer in service.
    package var isStaged: Bool
    package var generation: Int
    /// nil when the daemon ended before it learned the id.
    package var containerID: String?
    /// Rises with later deployments.
    package var createdAt: Int64

    package init(
      performerID: String, spec: PerformerSpec, origin: PerformerOrigin, isStaged: Bool, generation: Int,
      containerID: String?, createdAt: Int64
    ) {
      self.performerID = performerID
      self.spec = spec
      self.origin = origin
      self.isStaged = isStaged
      self.generation = generation
      self.containerID = containerID
      self.createdAt = createdAt
    }
  }

  /// A container of ours, as its labels describe it.
  package struct Container: Sendable, Equatable {
    package var id: String
    /// nil when the label is missing or unreadable.
    package var performerID: String?
    package var generation: Int?
    package var isRunning: Bool

    package init(id: String, performerID: String?, generation: Int?, isRunning: Bool) {
      self.id = id
      self.performerID = performerID
      self.generation = generation
      self.isRunning = isRunning
    }
  }

  /// A container that goes on serving.
  package struct Adoption: Sendable, Equatable {
    package let performerID: String
    package let containerID: String
  }

  /// A performer in service that is deployed anew as another specification says.
  package struct Renewal: Sendable, Equatable {
    /// The performer it is to replace.
    package let performerID: String
    package let spec: PerformerSpec

    package init(performerID: String, spec: PerformerSpec) {
      self.performerID = performerID
      self.spec = spec
    }
  }

  /// Performers whose container runs and is kept.
  package private(set) var adoptions: [Adoption] = []
  /// Performers in service whose container is gone, ended or of an older generation: a new one is created.
  package private(set) var recreations: [String] = []
  /// Performers to be forgotten: cut-off deployments, ones replaced by a later one, ones the configuration dropped.
  package private(set) var removedPerformers: [String] = []
  /// Containers to be removed, whatever they do.
  package private(set) var removedContainers: [String] = []
  /// Configured performers to deploy, blue-green where another one serves the AVS.
  package private(set) var deployments: [PerformerSpec] = []
  /// Performers put there by DeployArtifact whose limits the configuration has changed: the same image again, blue-green.
  package private(set) var renewals: [Renewal] = []
  /// Performers kept whose specification changed in ways that need no new container.
  package private(set) var updatedSpecs: [String: PerformerSpec] = [:]

  /// - Parameters:
  ///   - configured: At most one specification for each AVS.
  ///   - allotments: What the configuration grants performers that came by DeployArtifact.
  package init(
    stored: [Stored], containers: [Container], configured: [PerformerSpec],
    allotments: [EthereumAddress: PerformerAllotment] = [:]
  ) {
    let kept = Self.keep(from: stored, configured: configured)
    let keptIDs = Set(kept.map(\.performerID))
    removedPerformers = stored.map(\.performerID).filter { !keptIDs.contains($0) }
    var adopted: Set<String> = []
    for performer in kept {
      if let container = Self.container(of: performer, in: containers) {
        adoptions.append(Adoption(performerID: performer.performerID, containerID: container.id))
        adopted.insert(container.id)
      } else {
        recreations.append(performer.performerID)
      }
    }
    removedContainers = containers.map(\.id).filter { !adopted.contains($0) }
    compare(kept, with: configured)
    compare(kept, with: allotments)
  }

  /// The latest performer in service of each AVS, unless it came from the configuration and is there no more.
  private static func keep(from stored: [Stored], configured: [PerformerSpec]) -> [Stored] {
    var latest: [EthereumAddress: Stored] = [:]
    for performer in stored where !performer.isStaged {
      if let other = latest[performer.spec.avs], other.createdAt > performer.createdAt { continue }
      latest[performer.spec.avs] = performer
    }
    let configuredAVS = Set(configured.map(\.avs))
    let kept = Set(
      latest.values.filter { $0.origin == .deployment || configuredAVS.contains($0.spec.avs) }.map(\.performerID))
    return stored.filter { kept.contains($0.performerID) }
  }

  private static func container(of performer: Stored, in containers: [Container]) -> Container? {
    containers.first { container in
      container.isRunning && container.performerID == performer.performerID
        && container.generation == performer.generation
        && (performer.containerID == nil || performer.containerID == container.id)
    }
  }

  private mutating func compare(_ kept: [Stored], with configured: [PerformerSpec]) {
    for spec in configured {
      guard let performer = kept.first(where: { $0.spec.avs == spec.avs }) else {
        deployments.append(spec)
        continue
      }
      // A later DeployArtifact outranks the file, until the performer is removed.
      guard performer.origin == .configuration, performer.spec != spec else { continue }
      if performer.spec.needsNewContainer(for: spec) {
        deployments.append(spec)
      } else {
        updatedSpecs[performer.performerID] = spec
      }
    }
  }

  private mutating func compare(_ kept: [Stored], with allotments: [EthereumAddress: PerformerAllotment]) {
    for performer in kept where performer.origin == .deployment {
      guard let allotment = allotments[performer.spec.avs] else { continue }
      var spec = performer.spec
      (spec.concurrency, spec.limits, spec.interface) = (allotment.concurrency, allotment.limits, allotment.interface)
      if performer.spec.needsNewContainer(for: spec) {
        renewals.append(Renewal(performerID: performer.performerID, spec: spec))
      } else if performer.spec != spec {
        updatedSpecs[performer.performerID] = spec
      }
    }
  }
}

extension PerformerSpec {
  /// Whether a container made by this specification cannot serve `other`.
  package func needsNewContainer(for other: PerformerSpec) -> Bool {
    image != other.image || environment != other.environment || limits != other.limits
  }
}
