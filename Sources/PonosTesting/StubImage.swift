import Foundation
import NIOCore
import PonosDocker

/// A container image of under a megabyte that does as its environment says; for tests of containers, not of performers.
///
/// `STUB_VOLUME` names a directory about which it writes a line: whether it can write there, to what, of what size. `STUB_MODE`:
/// `serve` (default) accepts connections on 8080 until it is asked to end; `exit` writes a line to standard error and ends with
/// code 3; `deaf` runs but does not listen; `eat` allocates memory until it is stopped; `stubborn` ignores SIGTERM.
package enum StubImage {
  package static let repository = "ponos-test/stub"
  package static let tag = "2"
  package static let reference = "\(repository):\(tag)"

  /// Makes sure that the engine holds the image, and returns its id.
  package static func ensure(on docker: DockerClient) async throws -> String {
    try await builder.ensure(on: docker)
  }

  /// The same with a volume at `/data`, under a name of its own.
  package static let withVolume = "\(reference)-volume"

  /// Makes sure that the engine holds the image with the volume, and returns its id.
  package static func ensureWithVolume(on docker: DockerClient) async throws -> String {
    _ = try await ensure(on: docker)
    if let image = try await docker.image(withVolume) { return image.id }
    var tar = TarArchive()
    tar.add("Dockerfile", Data("FROM \(reference)\nVOLUME /data\n".utf8))
    return try await docker.buildImage(context: tar.finish(), tag: withVolume, labels: ["ponos.test": "stub"])
  }

  private static let builder = Builder()

  /// Builds once, whichever tests ask at the same time: a second build would take the name from the first image.
  private actor Builder {
    private var build: Swift.Task<String, any Error>?

    func ensure(on docker: DockerClient) async throws -> String {
      let build =
        build
        ?? Swift.Task {
          if let image = try await docker.image(reference) { return image.id }
          return try await docker.buildImage(context: try context(), tag: reference, labels: ["ponos.test": "stub"])
        }
      self.build = build
      return try await build.value
    }
  }

  private static func context() throws -> ByteBuffer {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-stub-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let source = directory.appending(path: "stub.c")
    try Data(program.utf8).write(to: source)
    let output = directory.appending(path: "stub")
    let compiler = Process()
    compiler.executableURL = URL(filePath: "/usr/bin/env")
    compiler.arguments = ["cc", "-O1", "-static", "-o", output.path, source.path]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else { throw CocoaError(.fileReadUnknown) }
    var tar = TarArchive()
    tar.add("Dockerfile", Data("FROM scratch\nCOPY stub /stub\nENTRYPOINT [\"/stub\"]\n".utf8))
    tar.add("stub", try Data(contentsOf: output), mode: 0o755)
    return tar.finish()
  }

  private static let program = #"""
    #include <errno.h>
    #include <netinet/in.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/vfs.h>
    #include <unistd.h>

    static void end(int signal) { _exit(0); }

    int main(void) {
      const char *mode = getenv("STUB_MODE");
      if (!mode) mode = "serve";
      setvbuf(stdout, NULL, _IOLBF, 0);
      printf("stub: mode %s\n", mode);
      if (!strcmp(mode, "exit")) {
        fprintf(stderr, "stub: no answer to be found\n");
        return 3;
      }
      signal(SIGTERM, !strcmp(mode, "stubborn") ? SIG_IGN : end);
      FILE *probe = fopen("/tmp/probe", "w");
      printf("stub: /tmp %s\n", probe ? "writable" : strerror(errno));
      probe = fopen("/probe", "w");
      printf("stub: / %s\n", probe ? "writable" : strerror(errno));
      const char *volume = getenv("STUB_VOLUME");
      if (volume) {
        char path[256];
        struct statfs place;
        snprintf(path, sizeof path, "%s/probe", volume);
        probe = fopen(path, "w");
        printf("stub: %s %s", volume, probe ? "writable" : strerror(errno));
        if (!statfs(volume, &place))
          printf(", %s of %lld bytes", place.f_type == 0x01021994 ? "tmpfs" : "disk", (long long)place.f_blocks * place.f_bsize);
        printf("\n");
      }
      printf("stub: uid %d\n", (int)getuid());
      if (!strcmp(mode, "eat"))
        for (;;) memset(malloc(1 << 20), 1, 1 << 20);
      if (!strcmp(mode, "deaf"))
        for (;;) pause();
      int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
      setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080)};
      if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) return 4;
      for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) continue;
        if (write(connection, "stub\n", 5) != 5) perror("write");
        close(connection);
      }
    }
    """#
}

/// A tar archive (ustar) of a few small files.
package struct TarArchive {
  private var bytes = ByteBuffer()

  package init() {}

  package mutating func add(_ name: String, _ content: Data, mode: Int = 0o644) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int, digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(name, at: 0)
    put(octal(mode, digits: 7), at: 100)
    put(octal(0, digits: 7), at: 108)
    put(octal(0, digits: 7), at: 116)
    put(octal(content.count, digits: 11), at: 124)
    put(octal(0, digits: 11), at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
    bytes.writeBytes(header)
    bytes.writeBytes(content)
    bytes.writeRepeatingByte(0, count: (512 - content.count % 512) % 512)
  }

  package mutating func finish() -> ByteBuffer {
    bytes.writeRepeatingByte(0, count: 1024)
    return bytes
  }
}
