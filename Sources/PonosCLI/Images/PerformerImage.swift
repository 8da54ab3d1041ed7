import Crypto
import Foundation

/// A program and what it needs, as an image with nothing else in it.
///
/// Shared libraries are a layer of their own, equal in all images with the same libraries. The same input makes the same image.
struct PerformerImage {
  /// The program; `/performer` in the image.
  let program: String
  /// What the program is started with.
  let arguments: [String]
  /// A directory whose content goes into the image's root; nil for none.
  let files: String?
  /// Absolute paths, in the image as on this machine.
  let libraries: [String]

  /// An id that no system uses.
  private static let user = "65532:65532"
  /// Counts the ways in which images were written, so that an older one does not pass for one of today.
  private static let format = "2"
  /// The label that says from what an image was made.
  static let contentLabel = "dev.ponos.content"

  /// - Throws: `CommandFailure` when something cannot be read, or a library is missing.
  init(program: String, arguments: [String], files: String?) throws {
    self.program = program
    self.arguments = arguments
    self.files = files
    let shared = try files.map(Self.entries(of:)).map { $0.filter { $0.hasSuffix(".so") } } ?? []
    libraries = try SharedLibraries.needed(by: [program] + shared.map { (files ?? "") + "/" + $0 })
  }

  /// A hash of all that goes in.
  func content() throws -> String {
    var hash = SHA256()
    hash.update(data: Data(Self.format.utf8))
    for file in [program] + libraries { try Self.update(&hash, file) }
    hash.update(data: Data(arguments.joined(separator: "\0").utf8))
    for entry in try files.map(Self.entries(of:)) ?? [] {
      let path = (files ?? "") + "/" + entry
      hash.update(data: Data("\0\(entry)\0".utf8))
      switch try Self.kind(of: path) {
      case .file: try Self.update(&hash, path)
      case .link(let target): hash.update(data: Data(target.utf8))
      case .directory: break
      }
    }
    return Self.hex(hash.finalize())
  }

  /// Writes the image as `docker load` takes it.
  ///
  /// - Parameters:
  ///   - reference: Repository and tag.
  ///   - content: What `content()` returned.
  func write(to path: String, reference: String, content: String) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-image-\(UUID())").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var layers: [(name: String, hash: String)] = []
    if !libraries.isEmpty { layers.append(("libraries.tar", try writeLibraries(to: directory + "/libraries.tar"))) }
    layers.append(("program.tar", try writeProgram(to: directory + "/program.tar", directory)))
    if let files { layers.append(("files.tar", try Self.writeFiles(files, to: directory + "/files.tar"))) }
    let config = try Self.json(configuration(content: content, layers: layers.map(\.hash)))
    let id = Self.hex(SHA256.hash(data: config))
    let manifest = [Manifest(config: "\(id).json", tags: [reference], layers: layers.map(\.name))]
    let archive = try TarWriter(path: path)
    try archive.addFile("\(id).json", content: config)
    try archive.addFile("manifest.json", content: try Self.json(manifest))
    for layer in layers { try archive.addFile(layer.name, from: directory + "/" + layer.name, isExecutable: false) }
    _ = try archive.finish()
  }

  // MARK: Layers

  private func writeLibraries(to path: String) throws -> String {
    let layer = try TarWriter(path: path)
    for library in libraries { try layer.addFile(library, from: library, isExecutable: true) }
    return try layer.finish()
  }

  /// Debug information is nine tenths of a debug build; symbols stay, so that crash reports have names.
  private func writeProgram(to path: String, _ directory: String) throws -> String {
    let stripped = directory + "/performer"
    guard try Tool.run("objcopy", ["--strip-debug", program, stripped]).status == 0 else {
      throw CommandFailure("\(program) is not a program that objcopy can read")
    }
    let layer = try TarWriter(path: path)
    try layer.addFile("performer", from: stripped, isExecutable: true)
    return try layer.finish()
  }

  private static func writeFiles(_ files: String, to path: String) throws -> String {
    let layer = try TarWriter(path: path)
    for entry in try entries(of: files) {
      let source = files + "/" + entry
      switch try kind(of: source) {
      case .file: try layer.addFile(entry, from: source, isExecutable: FileManager.default.isExecutableFile(atPath: source))
      case .link(let target): try layer.addLink(entry, to: target)
      case .directory: try layer.addDirectory(entry)
      }
    }
    return try layer.finish()
  }

  // MARK: Files

  private enum Kind {
    case file
    case link(to: String)
    case directory
  }

  /// Paths below a directory, sorted.
  private static func entries(of directory: String) throws -> [String] {
    do { return try FileManager.default.subpathsOfDirectory(atPath: directory).sorted() } catch {
      throw CommandFailure("\(directory) cannot be read: \(error.localizedDescription)")
    }
  }

  private static func kind(of path: String) throws -> Kind {
    switch try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType {
    case .typeRegular: .file
    case .typeSymbolicLink: .link(to: try FileManager.default.destinationOfSymbolicLink(atPath: path))
    case .typeDirectory: .directory
    default: throw CommandFailure("\(path) is neither a file nor a directory")
    }
  }

  private static func update(_ hash: inout SHA256, _ path: String) throws {
    do { hash.update(data: try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)) } catch {
      throw CommandFailure("\(path) cannot be read: \(error.localizedDescription)")
    }
  }

  private static func hex(_ digest: SHA256Digest) -> String {
    digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  // MARK: Descriptions

  private func configuration(content: String, layers: [String]) -> Configuration {
    Configuration(
      config: .init(
        user: Self.user, entrypoint: ["/performer"] + arguments, ports: ["8080/tcp": .init()],
        labels: [Self.contentLabel: content]),
      rootfs: .init(hashes: layers.map { "sha256:\($0)" }))
  }

  private static func json(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }

  /// The image's configuration, whose hash is its id.
  private struct Configuration: Encodable {
    struct Nothing: Encodable {}

    struct Container: Encodable {
      var user: String
      var entrypoint: [String]
      var ports: [String: Nothing]
      var labels: [String: String]

      private enum CodingKeys: String, CodingKey {
        case user = "User", entrypoint = "Entrypoint", ports = "ExposedPorts", labels = "Labels"
      }
    }

    struct Layers: Encodable {
      var type = "layers"
      var hashes: [String]

      private enum CodingKeys: String, CodingKey { case type, hashes = "diff_ids" }
    }

    #if arch(arm64)
      var architecture = "arm64"
    #else
      var architecture = "amd64"
    #endif
    var os = "linux"
    /// No moment, so that the same input makes the same image.
    var created = "2000-01-01T00:00:00Z"
    var config: Container
    var rootfs: Layers
  }

  private struct Manifest: Encodable {
    var config: String
    var tags: [String]
    var layers: [String]

    private enum CodingKeys: String, CodingKey { case config = "Config", tags = "RepoTags", layers = "Layers" }
  }
}
