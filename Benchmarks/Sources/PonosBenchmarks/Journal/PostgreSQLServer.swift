import Foundation

/// A PostgreSQL cluster of our own, with one table like the journal's, that pgbench inserts into.
final class PostgreSQLServer {
  private static let programs = "/usr/lib/postgresql/15/bin/"
  private static let user = "bench"

  private let process: ChildProcess
  private let workspace: Workspace
  /// Of the server's socket; a short path, because those of sockets are limited.
  private let socketDirectory: String
  private let script: String

  /// Starts it; returns when it answers.
  init(in workspace: Workspace, recordBytes: Int) async throws {
    self.workspace = workspace
    let data = workspace.path("postgresql")
    socketDirectory = FileManager.default.temporaryDirectory.appendingPathComponent("ponos-bench-\(getpid())").path
    script = workspace.path("insert.sql")
    for directory in [data, socketDirectory] {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
    // PostgreSQL refuses to be run by root.
    if getuid() == 0 { try ChildProcess.output("chown", "postgres", data, socketDirectory) }
    let initialization =
      Self.unprivileged + [
        Self.programs + "initdb", "--pgdata", data, "--auth", "trust", "--username", Self.user, "--no-locale", "--encoding",
        "UTF8",
      ]
    try ChildProcess.output(initialization)
    let command =
      Self.unprivileged + [
        Self.programs + "postgres", "-D", data, "-k", socketDirectory, "-c", "listen_addresses=", "-c", "synchronous_commit=on",
        "-c",
        "fsync=on", "-c", "max_connections=80",
      ]
    process = try ChildProcess(URL(fileURLWithPath: "/usr/bin/env"), command, log: workspace.path("postgresql.log"))
    try await waitUntilServing()
    try query("CREATE TABLE entry (id bytea PRIMARY KEY, bytes bytea NOT NULL)")
    // Prepared once, with the record as a constant of the statement.
    let record = String(repeating: "5a", count: recordBytes)
    try """
    INSERT INTO entry VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), '\\x\(record)');
    """.write(toFile: script, atomically: true, encoding: .utf8)
  }

  deinit {
    process.stop()
    do { try FileManager.default.removeItem(atPath: socketDirectory) } catch { print(error) }
  }

  /// Runs what follows as the user that Debian's package makes for it.
  private static var unprivileged: [String] {
    getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
  }

  private func waitUntilServing() async throws {
    let limit = Clock.now + 30
    while true {
      do { return try query("SELECT 1") } catch {
        guard process.isRunning, Clock.now < limit else {
          throw SystemFailure("start PostgreSQL", reason: "\(error)\n\(process.tail())")
        }
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  private func query(_ text: String) throws {
    try ChildProcess.output([Self.programs + "psql", "-h", socketDirectory, "-U", Self.user, "-d", "postgres", "-c", text])
  }

  /// pgbench with a connection for each caller. Its log says what each transaction took.
  func contender(callers: Int) -> Contender {
    Contender("PostgreSQL, synchronous_commit on") { [self] seconds in
      // A number of transactions, so that its log says all of what was done in its time.
      let count = max(20, Int(seconds * (callers == 1 ? 2_000 : 200)))
      let log = workspace.path("pgbench-\(UUID().uuidString.prefix(8))")
      let cpu = try process.cpu()
      try ChildProcess.output([
        Self.programs + "pgbench", "-h", socketDirectory, "-U", Self.user, "-n", "-M", "prepared", "-c", "\(callers)", "-j",
        "\(min(callers, 2))", "-t", "\(count)", "-f", script, "-l", "--log-prefix", log, "postgres",
      ])
      let latencies = try latencies(ofLogs: log)
      // Each connection has a transaction under way all the time; pgbench's own start does not count.
      let wall = latencies.reduce(0, +) / Double(callers)
      return Round(operations: latencies.count, wall: wall, cpu: try process.cpu() - cpu, latencies: latencies)
    }
  }

  /// In the log each transaction has a line; the third word is what it took, in microseconds.
  private func latencies(ofLogs prefix: String) throws -> [Double] {
    let name = URL(fileURLWithPath: prefix).lastPathComponent
    var latencies: [Double] = []
    for file in try FileManager.default.contentsOfDirectory(atPath: workspace.url.path) where file.hasPrefix(name) {
      let path = workspace.path(file)
      for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.count > 2, let microseconds = Double(words[2]) else {
          throw SystemFailure("read \(path)", reason: String(line))
        }
        latencies.append(microseconds / 1_000_000)
      }
      try FileManager.default.removeItem(atPath: path)
    }
    return latencies
  }
}
