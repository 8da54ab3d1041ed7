import Foundation

/// What a process can tell of the walls round it, for tests of container hardening.
enum Confinement {
  /// One `name: value` per line: user and group ids, the fields of `/proc/self/status` that matter, what could be written, and
  /// the names (never the values) of the environment's variables.
  static func report() -> String {
    var lines = ["uid: \(getuid())", "gid: \(getgid())", "hostname: \(ProcessInfo.processInfo.hostName)"]
    for field in ["CapEff", "CapBnd", "NoNewPrivs", "Seccomp"] {
      lines.append("\(field): \(statusField(field) ?? "?")")
    }
    for directory in ["/", "/tmp", "/dev/shm", "/proc/sys/kernel"] {
      lines.append("write \(directory): \(attemptToWrite(in: directory))")
    }
    lines.append("environment: \(ProcessInfo.processInfo.environment.keys.sorted().joined(separator: " "))")
    return lines.joined(separator: "\n")
  }

  private static func statusField(_ name: String) -> String? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    return status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
  }

  /// `allowed`, or the number of the error.
  private static func attemptToWrite(in directory: String) -> String {
    let path = directory + "/ponos-probe"
    let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
    guard descriptor >= 0 else { return "refused, errno \(errno)" }
    close(descriptor)
    unlink(path)
    return "allowed"
  }
}
