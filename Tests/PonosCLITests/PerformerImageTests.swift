import Crypto
import Foundation
import Testing
@testable import PonosCLI

/// `performer image`, up to the file that an engine would load.
@Suite("Images of performers")
struct PerformerImageTests {
  private struct Manifest: Decodable {
    var Config: String
    var RepoTags: [String]
    var Layers: [String]
  }

  private struct Description: Decodable {
    struct Container: Decodable {
      var User: String
      var Entrypoint: [String]
      var Labels: [String: String]
    }

    struct Layers: Decodable { var diff_ids: [String] }

    var config: Container
    var rootfs: Layers
  }

  /// A file of an archive, as another program reads it.
  private static func entry(_ name: String, of archive: String) throws -> Data {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["tar", "--extract", "--to-stdout", "--file", archive, name]
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "tar finds no \(name)")
    return data
  }

  private static func hash(_ data: Data) -> String {
    SHA256.hash(data: data).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func pack(_ output: String, _ more: [String] = []) throws {
    let ended = try Program.run(["performer", "image", "/usr/bin/env", "test/image", "--output", output] + more)
    #expect(ended.status == 0, "\(ended.errors)")
  }

  @Test("hold program, libraries and files under their hashes, and say how the program is started")
  func archiveHoldsLayersUnderTheirHashes() throws {
    try Program.withDirectory { directory in
      try FileManager.default.createDirectory(atPath: directory + "/root/app/deep", withIntermediateDirectories: true)
      try "text".write(toFile: directory + "/root/app/deep/data")
      try FileManager.default.createSymbolicLink(atPath: directory + "/root/link", withDestinationPath: "app/deep/data")
      let archive = directory + "/image.tar"
      try Self.pack(archive, ["--files", directory + "/root", "--", "-i", "A=b c"])
      let manifest = try #require(
        try JSONDecoder().decode([Manifest].self, from: try Self.entry("manifest.json", of: archive)).first)
      #expect(manifest.RepoTags == ["test/image:latest"])
      #expect(manifest.Layers == ["libraries.tar", "program.tar", "files.tar"])
      let configuration = try Self.entry(manifest.Config, of: archive)
      #expect(manifest.Config == Self.hash(configuration) + ".json")
      let description = try JSONDecoder().decode(Description.self, from: configuration)
      #expect(description.config.Entrypoint == ["/performer", "-i", "A=b c"])
      #expect(description.config.User == "65532:65532")
      let layers = try manifest.Layers.map { try Self.entry($0, of: archive) }
      #expect(description.rootfs.diff_ids == layers.map { "sha256:" + Self.hash($0) })
      let layer = directory + "/files.tar"
      try layers[2].write(to: URL(filePath: layer))
      #expect(try Self.entry("app/deep/data", of: layer) == Data("text".utf8))
      try layers[1].write(to: URL(filePath: layer))
      #expect(try Self.entry("performer", of: layer).prefix(4) == Data([0x7f] + "ELF".utf8))
    }
  }

  @Test("are the same for the same input, and others for other arguments")
  func sameInputMakesTheSameImage() throws {
    try Program.withDirectory { directory in
      for (name, arguments) in [("a", []), ("b", []), ("c", ["--", "-0"])] { try Self.pack(directory + "/" + name, arguments) }
      let images = try ["a", "b", "c"].map { try Data(contentsOf: URL(filePath: directory + "/" + $0)) }
      #expect(images[0] == images[1])
      #expect(images[0] != images[2])
    }
  }

  @Test("of a program that is not there are none")
  func programThatIsNotThere() throws {
    let ended = try Program.run("performer", "image", "/nowhere/program", "x:1", "--output", "/nowhere/x.tar")
    #expect(ended.status == 1)
    #expect(ended.errors.contains("/nowhere/program"))
  }

  @Test("need the libraries that the loader lists, by their paths")
  func needLibrariesThatLoaderLists() throws {
    let listing = """
      \tlinux-vdso.so.1 (0x00007ffd)
      \tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f1)
      /root/app/module.so:
      \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2)
      \t/lib64/ld-linux-x86-64.so.2 (0x00007f3)
      """
    #expect(
      try SharedLibraries.paths(inListing: listing)
        == ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"])
    #expect(throws: CommandFailure.self) { try SharedLibraries.paths(inListing: "\tlibx.so.1 => not found\n") }
  }

  @Test("keep names of up to 255 bytes, and refuse longer ones")
  func keepNamesOfUpTo255Bytes() throws {
    try Program.withDirectory { directory in
      let archive = directory + "/long.tar"
      let name = String(repeating: "d", count: 120) + "/" + String(repeating: "f", count: 90)
      let writer = try TarWriter(path: archive)
      try writer.addFile(name, content: Data("x".utf8))
      #expect(throws: CommandFailure.self) {
        try writer.addFile(String(repeating: "f", count: 101), content: Data())
      }
      #expect(try writer.finish() == Self.hash(try Data(contentsOf: URL(filePath: archive))))
      #expect(try Self.entry(name, of: archive) == Data("x".utf8))
    }
  }
}
