/// A no-op performer in a container of its own, reached as the daemon reaches its performers: by the container's address on a
/// bridge network.
final class NoOpContainer {
  private let id: String
  let address: String

  /// Takes the image `scripts/bench.sh` has built.
  init(image: String) throws {
    // Memory and processor time as the daemon gives performers by default.
    id = try ChildProcess.output(
      "docker", "run", "--detach", "--rm", "--pull", "never", "--memory", "512m", "--cpus", "1", image)
    address = try ChildProcess.output(
      "docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", id)
  }

  deinit {
    do {
      try ChildProcess.output("docker", "rm", "--force", id)
    } catch {
      print(error)
    }
  }
}
