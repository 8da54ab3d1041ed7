/// What has to be done so that the containers of the engine match what should be there: at the start what the store and the
/// configuration want, and from then on what the performers of the running daemon claim.
///
/// Only containers labelled with our installation come in here; foreign ones are never looked at.
package struct ReconciliationPlan: Sendable, Equatable {
  /// A performer the store knows.
  package struct Stored: Sendable, Equatable {
    package var performerID: String
    package var spec: PerformerSpec
    /// Its number among the replicas of the AVS, from 0.
    package var replica: Int
    package var origin: PerformerOrigin
    /// Whether a deployment was cut off before it put the performer in service.
    package var isStaged: Bool
    package var generation: Int
    /// nil when the daemon ended before it learned the id.
    package var containerID: String?
    /// Rises with later deployments.
    package var createdAt: Int64

    package init(
      performerID: String, spec: PerformerSpec, replica: Int = 0, origin: PerformerOrigin, isStaged: Bool,
      generation: Int, containerID: String?, createdAt: Int64
    ) {
      self.performerID = performerID
      self.spec = spec
      self.replica = replica
      self.origin = origin
      self.isStaged = isStaged
      self.generation = generation
      self.containerID = containerID
      self.createdAt = createdAt
    }

    var replicaID: ReplicaID { ReplicaID(avs: spec.avs, replica: replica) }
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

  /// A configured performer and the replica it is to be.
  package struct Placement: Sendable, Equatable {
    package let spec: PerformerSpec
    package let replica: Int

    package init(_ spec: PerformerSpec, replica: Int = 0) {
      self.spec = spec
      self.replica = replica
    }
  }

  /// A performer that came by DeployArtifact and is deployed anew, or for another replica.
  package struct Renewal: Sendable, Equatable {
    /// The renewal is wanted while this performer is in service.
    package let performerID: String
    package let spec: PerformerSpec
    package let replica: Int
    /// Whether the other replicas are to follow once it serves.
    package let startsRollout: Bool

    package init(performerID: String, spec: PerformerSpec, replica: Int = 0, startsRollout: Bool = false) {
      self.performerID = performerID
      self.spec = spec
      self.replica = replica
      self.startsRollout = startsRollout
    }
  }

  /// Which containers a performer of the running daemon claims.
  package struct Claim: Sendable, Equatable {
    package enum Containers: Sendable, Equatable {
      /// This one, from which it serves; nil claims none.
      case only(String?)
      /// All of its own: it is being brought up or replaced.
      case all
    }

    package var performerID: String
    package var containers: Containers

    package init(performerID: String, containers: Containers) {
      self.performerID = performerID
      self.containers = containers
    }
  }

  /// A container from which a performer should serve and that does not run.
  package struct Loss: Sendable, Equatable {
    package let performerID: String
    package let containerID: String

    package init(performerID: String, containerID: String) {
      self.performerID = performerID
      self.containerID = containerID
    }
  }

  /// Performers whose container runs and is kept.
  package private(set) var adoptions: [Adoption] = []
  /// Performers in service whose container is gone, ended or of an older generation: a new one is created.
  package private(set) var recreations: [String] = []
  /// Performers to be forgotten: cut-off deployments, ones replaced by a later one, ones the configuration dropped, replicas
  /// beyond their number.
  package private(set) var removedPerformers: [String] = []
  /// Containers to be removed, running or not.
  package private(set) var removedContainers: [String] = []
  /// Configured performers to deploy, blue-green where another one serves the AVS.
  package private(set) var deployments: [Placement] = []
  /// Performers put there by DeployArtifact whose limits the configuration has changed (the same image again, blue-green), and
  /// replicas that do not run what was deployed.
  package private(set) var renewals: [Renewal] = []
  /// Containers of performers in service that have ended, or are gone, without an event that said so.
  package private(set) var losses: [Loss] = []
  /// Performers kept whose specification changed in ways that need no new container.
  package private(set) var updatedSpecs: [String: PerformerSpec] = [:]

  // MARK: At the start

  /// What a daemon does at its start about what an earlier one left.
  ///
  /// - Parameters:
  ///   - configured: At most one specification for each AVS.
  ///   - allotments: What the configuration grants performers that came by DeployArtifact.
  package init(
    stored: [Stored], containers: [Container], configured: [PerformerSpec],
    allotments: [EthereumAddress: PerformerAllotment] = [:]
  ) {
    let kept = Self.keep(from: stored, configured: configured, allotments: allotments)
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
    let leaders = Self.leaders(of: kept)
    for spec in configured where leaders[spec.avs] == nil {
      // A later DeployArtifact outranks the file, until the performer is removed.
      for replica in 0..<Self.replicas(of: spec.avs, allotments) { compare(kept, with: Placement(spec, replica: replica)) }
    }
    for leader in leaders.values.sorted(by: { $0.createdAt < $1.createdAt }) {
      compare(kept, with: leader, allotments[leader.spec.avs])
    }
  }

  // MARK: From then on

  /// What a daemon does about containers that ended, or were left, unnoticed.
  ///
  /// - Parameters:
  ///   - expected: What was claimed before the containers were listed: a container created meanwhile is not lost.
  ///   - claims: What was claimed after that: a container created before the list was made is not removed.
  package init(expected: [Claim], claims: [Claim], containers: [Container]) {
    let running = Set(containers.lazy.filter(\.isRunning).map(\.id))
    losses = expected.compactMap { claim in
      guard case .only(let id?) = claim.containers, !running.contains(id) else { return nil }
      return Loss(performerID: claim.performerID, containerID: id)
    }
    let claims = Dictionary(claims.map { ($0.performerID, $0.containers) }, uniquingKeysWith: { first, _ in first })
    removedContainers = containers.filter { container in
      switch container.performerID.flatMap({ claims[$0] }) {
      case .all: false
      case .only(let id): id != container.id
      case nil: true
      }
    }.map(\.id)
  }

  // MARK: What is kept

  /// The latest performer in service of each replica, unless it came from the configuration and is there no more.
  private static func keep(
    from stored: [Stored], configured: [PerformerSpec], allotments: [EthereumAddress: PerformerAllotment]
  ) -> [Stored] {
    var latest: [ReplicaID: Stored] = [:]
    for performer in stored where !performer.isStaged {
      if let other = latest[performer.replicaID], other.createdAt > performer.createdAt { continue }
      latest[performer.replicaID] = performer
    }
    let configuredAVS = Set(configured.map(\.avs))
    let kept = latest.values.filter { performer in
      performer.replica < replicas(of: performer.spec.avs, allotments)
        && (performer.origin == .deployment || configuredAVS.contains(performer.spec.avs))
    }
    let ids = Set(kept.map(\.performerID))
    return stored.filter { ids.contains($0.performerID) }
  }

  private static func replicas(of avs: EthereumAddress, _ allotments: [EthereumAddress: PerformerAllotment]) -> Int {
    max(1, allotments[avs]?.replicas ?? 1)
  }

  /// The performer that came by DeployArtifact as the first replica of each AVS: deployments begin there, and the other replicas
  /// are to run the same.
  private static func leaders(of kept: [Stored]) -> [EthereumAddress: Stored] {
    var leaders: [EthereumAddress: Stored] = [:]
    for performer in kept where performer.origin == .deployment {
      if let other = leaders[performer.spec.avs], other.replica < performer.replica { continue }
      leaders[performer.spec.avs] = performer
    }
    return leaders
  }

  private static func container(of performer: Stored, in containers: [Container]) -> Container? {
    containers.first { container in
      container.isRunning && container.performerID == performer.performerID
        && container.generation == performer.generation
        && (performer.containerID == nil || performer.containerID == container.id)
    }
  }

  private mutating func compare(_ kept: [Stored], with wanted: Placement) {
    let replicaID = ReplicaID(avs: wanted.spec.avs, replica: wanted.replica)
    guard let performer = kept.first(where: { $0.replicaID == replicaID }) else { return deployments.append(wanted) }
    if performer.spec.needsNewContainer(for: wanted.spec) {
      deployments.append(wanted)
    } else if performer.spec != wanted.spec {
      updatedSpecs[performer.performerID] = wanted.spec
    }
  }

  private mutating func compare(_ kept: [Stored], with leader: Stored, _ allotment: PerformerAllotment?) {
    var spec = leader.spec
    if let allotment {
      (spec.concurrency, spec.limits, spec.interface) = (allotment.concurrency, allotment.limits, allotment.interface)
    }
    guard !leader.spec.needsNewContainer(for: spec) else {
      let renewal = Renewal(performerID: leader.performerID, spec: spec, replica: leader.replica, startsRollout: true)
      return renewals.append(renewal)
    }
    for replica in 0..<max(1, allotment?.replicas ?? 1) {
      let performer = kept.first { $0.replicaID == ReplicaID(avs: spec.avs, replica: replica) }
      if let performer, !performer.spec.needsNewContainer(for: spec) {
        if performer.spec != spec { updatedSpecs[performer.performerID] = spec }
      } else {
        renewals.append(Renewal(performerID: leader.performerID, spec: spec, replica: replica))
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
