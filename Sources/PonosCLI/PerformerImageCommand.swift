import ArgumentParser
import Foundation
import PonosDocker

/// `performer image PROGRAM IMAGE`: for AVS authors.
struct PerformerImageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Packs a program into a minimal image, for AVS authors.",
    discussion: """
      The image holds the program as /performer, the shared libraries it links to, and nothing else: no shell, no package manager.
      Neither a registry, nor a base image, nor a builder is needed. The engine at DOCKER_HOST gets it, unless --output names a file
      for `docker load`. The same input makes the same image, and one the engine already has is not loaded again.

      EXAMPLES
        ponos-executor performer image .build/release/SquarePerformer square:1
        ponos-executor performer image .build/release/SquarePerformer square:1 --output square.tar
        ponos-executor performer image /usr/bin/python3.11 oracle:1 --files root -- -I /app/performer.py
      """)

  @Argument(help: ArgumentHelp("The program: an executable of this machine.", valueName: "program"))
  var program: String

  @Argument(help: ArgumentHelp("Name of the image; the tag is latest unless given.", valueName: "repository[:tag]"))
  var image: String

  @Option(help: ArgumentHelp("Directory whose content goes into the image's root as well.", valueName: "directory"))
  var files: String?

  @Option(help: ArgumentHelp("Write the image here and load it nowhere.", valueName: "file"))
  var output: String?

  @Argument(parsing: .postTerminator, help: ArgumentHelp("After --: what the program is started with.", valueName: "argument"))
  var arguments: [String] = []

  func run() async throws {
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw CommandFailure("there is no program \(program): build it first")
    }
    let reference = image.split(separator: "/").last?.contains(":") == true ? image : image + ":latest"
    let packed = try PerformerImage(program: program, arguments: arguments, files: files)
    let content = try packed.content()
    if let output {
      try packed.write(to: output, reference: reference, content: content)
      return Console.note("image \(reference) is in \(output); docker load --input \(output) brings it into an engine")
    }
    let docker = DockerClient(endpoint: try DockerEndpoint.fromEnvironment(ProcessInfo.processInfo.environment))
    let known = try await docker.images(labels: ["\(PerformerImage.contentLabel)=\(content)"])
    if known.contains(where: { $0.tags.contains(reference) }) { return Console.note("image \(reference) is up to date") }
    let archive = FileManager.default.temporaryDirectory.appending(path: "ponos-image-\(UUID()).tar").path
    defer { try? FileManager.default.removeItem(atPath: archive) }
    try packed.write(to: archive, reference: reference, content: content)
    try await docker.loadImages(archive: archive)
    Console.note("image \(reference) is loaded, with \(packed.libraries.count) libraries")
  }
}
