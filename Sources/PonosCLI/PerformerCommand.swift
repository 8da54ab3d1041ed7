import ArgumentParser
import PonosAPI
import SwiftProtobuf

/// `performer`: what runs in containers.
struct PerformerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "performer", abstract: "Lists, deploys and removes performers, and packs programs into images.",
    subcommands: [List.self, Deploy.self, Remove.self, PerformerImageCommand.self])

  /// `performer list`.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists performers and their health.",
      discussion: """
        EXAMPLES
          ponos-executor performer list
          ponos-executor performer list --avs 0x… -o json --endpoint 127.0.0.1:9091
        """)

    @Option(help: ArgumentHelp("Only performers of this AVS.", valueName: "0x…"))
    var avs = ""

    @OptionGroup var management: ManagementOptions
    @OptionGroup var format: OutputOptions

    func run() async throws {
      let avs = avs
      let performers = try await management.call { stub, proof, options in
        try await stub.listPerformers(
          .with { request in
            request.avsAddress = avs
            if let proof { request.auth = proof }
          }, options: options
        ).performers
      }.map(PerformerRow.init)
      switch format.output {
      case .json: try Console.print(json: performers)
      case .table:
        var table = TextTable(header: ["PERFORMER", "AVS", "STATUS", "HEALTHY", "IMAGE", "CONTAINER"])
        for row in performers { table.add(row.cells) }
        try Console.print(table.text)
      }
    }
  }

  /// `performer deploy`.
  struct Deploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Deploys an image for an AVS and waits until it serves.",
      discussion: """
        The performer that served before goes on until the new one is healthy; a failed deployment leaves it in service.

        EXAMPLES
          ponos-executor performer deploy --avs 0x… --registry ghcr.io/acme/performer --digest sha256:…
          ponos-executor performer deploy --avs 0x… --registry 127.0.0.1:5000/square --digest sha256:… --env LOG_LEVEL=debug
          ponos-executor performer deploy --avs 0x… --registry 127.0.0.1:5000/square --digest sha256:… --env-file square.env
        """)

    @Option(help: ArgumentHelp("The AVS.", valueName: "0x…"))
    var avs: String

    @Option(help: ArgumentHelp("Registry and repository, without scheme and tag.", valueName: "repository"))
    var registry: String

    @Option(help: ArgumentHelp("sha256: and 64 hex digits.", valueName: "digest"))
    var digest: String

    @OptionGroup var environment: PerformerEnvironmentOptions
    @OptionGroup var management: ManagementOptions
    @OptionGroup var format: OutputOptions

    private struct Deployed: Encodable {
      var deploymentID: String
      var message: String
    }

    func run() async throws {
      let variables = try environment.variables().values.sorted { $0.key < $1.key }
      let request = Eigenlayer_Hourglass_V1_DeployArtifactRequest.with { request in
        request.avsAddress = avs
        request.registryURL = registry
        request.digest = digest
        request.env = variables.map { name, value in
          .with {
            $0.name = name
            $0.value = value
          }
        }
      }
      Console.note("deploying \(registry)@\(digest) for \(avs) …")
      let reply = try await management.call { stub, proof, options in
        var request = request
        if let proof { request.auth = proof }
        return try await stub.deployArtifact(request, options: options)
      }
      switch format.output {
      case .json: try Console.print(json: Deployed(deploymentID: reply.deploymentID, message: reply.message))
      case .table: try Console.print("\(reply.message) (\(reply.deploymentID))")
      }
    }
  }

  /// `performer remove ID`.
  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lets a performer finish its tasks, then removes it.",
      discussion: """
        EXAMPLES
          ponos-executor performer remove performer-0x…-…
        """)

    @Argument(help: ArgumentHelp("Id of the performer, as `performer list` prints it.", valueName: "id"))
    var id: String

    @OptionGroup var management: ManagementOptions
    @OptionGroup var format: OutputOptions

    private struct Removed: Encodable {
      var performerID: String
      var message: String
    }

    func run() async throws {
      let id = id
      let reply = try await management.call { stub, proof, options in
        try await stub.removePerformer(
          .with { request in
            request.performerID = id
            if let proof { request.auth = proof }
          }, options: options)
      }
      switch format.output {
      case .json: try Console.print(json: Removed(performerID: id, message: reply.message))
      case .table: try Console.print(reply.message)
      }
    }
  }
}

/// One performer as `performer list` shows it.
private struct PerformerRow: Encodable {
  var performerID: String
  var avs: String
  var status: String
  var containerHealthy: Bool
  var applicationHealthy: Bool
  var image: String
  var containerID: String
  var lastHealthCheck: String

  init(_ performer: Eigenlayer_Hourglass_V1_Performer) {
    performerID = performer.performerID
    avs = performer.avsAddress
    status = performer.status
    containerHealthy = performer.resourceHealthy
    applicationHealthy = performer.applicationHealthy
    let version = performer.artifactDigest.isEmpty ? ":\(performer.artifactTag)" : "@\(performer.artifactDigest)"
    image = performer.artifactRegistry + version
    containerID = performer.containerID
    lastHealthCheck = performer.lastHealthCheck
  }

  var cells: [String] {
    [performerID, avs, status, containerHealthy && applicationHealthy ? "yes" : "no", image, String(containerID.prefix(12))]
  }
}
