import Foundation

/// An image as DeployArtifact names it.
struct RegistryImage: Sendable {
  /// Host, port and path.
  let repository: String
  let digest: String

  /// As Docker writes it.
  var reference: String { "\(repository)@\(digest)" }
}

/// A real image registry (Debian's docker-registry) on a free port of loopback, empty at first.
final class LocalRegistry: Sendable {
  let port: Int
  private let directory: URL
  private let process: ChildProcess

  private init(port: Int, directory: URL, process: ChildProcess) {
    self.port = port
    self.directory = directory
    self.process = process
  }

  /// Runs `body` with a registry that answers.
  static func running<Result>(_ body: (LocalRegistry) async throws -> Result) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-registry-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let port = try FreePorts.find(1)[0]
    let configuration = directory.appending(path: "registry.yaml")
    let text = """
      version: 0.1
      log: {level: warn, accesslog: {disabled: true}}
      storage: {filesystem: {rootdirectory: \(directory.path)/images}}
      http: {addr: "127.0.0.1:\(port)"}

      """
    try Data(text.utf8).write(to: configuration)
    let process = try ChildProcess(
      URL(filePath: "/usr/bin/env"), ["docker-registry", "serve", configuration.path],
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], log: directory.appending(path: "log"))
    let registry = LocalRegistry(port: port, directory: directory, process: process)
    do {
      try await registry.answers()
      let result = try await body(registry)
      await registry.stop()
      return result
    } catch {
      await registry.stop()
      throw error
    }
  }

  private func answers() async throws {
    try await wait(until: "docker-registry (a Debian package) to answer", within: .seconds(15)) {
      if !process.isRunning { throw DidNotHappen(description: "docker-registry ended: \(process.output)") }
      return (try? await OperationsClient(port: port).get("/v2/").status) == 200
    }
  }

  /// Ends the registry and takes the names that tests gave images off the engine again.
  private func stop() async {
    await process.end()
    let listed = try? await Command.run(
      "docker", "image", "ls", "--digests", "--filter", "reference=127.0.0.1:\(port)/*",
      "--format", "{{.Repository}}@{{.Digest}}")
    for reference in (listed ?? "").split(separator: "\n") where !reference.hasSuffix("<none>") {
      _ = try? await Command.run("docker", "image", "rm", String(reference))
    }
  }

  /// Puts a copy of a local image into the registry; the engine forgets the copy, so that it has to be pulled.
  func push(_ image: String, as name: String) async throws -> RegistryImage {
    let repository = "127.0.0.1:\(port)/\(name)"
    try await Command.run("docker", "tag", image, "\(repository):1")
    let output = try await Command.run("docker", "push", "\(repository):1")
    guard let digest = output.firstMatch(of: /sha256:[0-9a-f]{64}/)?.output else {
      throw DidNotHappen(description: "docker push named no digest: \(output)")
    }
    let pushed = RegistryImage(repository: repository, digest: String(digest))
    try await Command.run("docker", "image", "rm", "\(repository):1")
    guard (try? await Command.run("docker", "image", "inspect", pushed.reference)) == nil else {
      throw DidNotHappen(description: "the engine still holds \(pushed.reference), so a test of pulling would prove nothing")
    }
    return pushed
  }

  /// What is wrong with a layer of an image made by `pushDamaged`.
  enum Damage {
    /// The layer is not there.
    case missing
    /// The layer has other content than its digest says.
    case altered
  }

  /// An image whose manifest is fine and whose only layer is not: pulling it begins well.
  func pushDamaged(_ damage: Damage) async throws -> RegistryImage {
    let content = directory.appending(path: "content-\(UUID())")
    try FileManager.default.createDirectory(at: content, withIntermediateDirectories: true)
    let bytes = Data((0..<200_000).map { _ in UInt8.random(in: .min ... .max) })
    try bytes.write(to: content.appending(path: "bytes"))
    let archive = content.appendingPathExtension("tar")
    try await Command.run("tar", "--create", "--file", archive.path, "--directory", content.path, ".")
    let name = "damaged-\(UUID().uuidString.lowercased())"
    let local = "ponos-test/\(name):1"
    try await Command.run("docker", "import", "--change", "ENTRYPOINT [\"/bytes\"]", archive.path, local)
    let image = try await push(local, as: name)
    try await Command.run("docker", "image", "rm", local)
    try damageLayer(damage, largerThan: bytes.count / 2)
    return image
  }

  private func damageLayer(_ damage: Damage, largerThan size: Int) throws {
    let blobs = directory.appending(path: "images/docker/registry/v2/blobs")
    let files = FileManager.default.enumerator(at: blobs, includingPropertiesForKeys: [.fileSizeKey])
    var layers: [URL] = []
    while let file = files?.nextObject() as? URL {
      guard file.lastPathComponent == "data", let length = try file.resourceValues(forKeys: [.fileSizeKey]).fileSize else {
        continue
      }
      // Layers of performers are many megabytes; the one of the damaged image is just over its random bytes.
      if length > size, length < 4 * size { layers.append(file) }
    }
    guard !layers.isEmpty else { throw DidNotHappen(description: "no layer to damage below \(blobs.path)") }
    for layer in layers {
      switch damage {
      case .missing: try FileManager.default.removeItem(at: layer)
      case .altered: try Data(count: try Data(contentsOf: layer).count).write(to: layer)
      }
    }
  }
}
