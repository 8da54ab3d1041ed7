import Foundation

/// Programs of Tests/Interop that `scripts/build-interop.sh` has built.
enum InteropProgram: String, CaseIterable, Sendable {
  case grpcGo = "grpc-go"
  case grpcio

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../..").standardized
  private static var built: URL { folder.appendingPathComponent(".build/interop") }

  private var executable: URL {
    switch self {
    case .grpcGo: Self.built.appendingPathComponent("go/bin/transport")
    case .grpcio: Self.built.appendingPathComponent("python/bin/python")
    }
  }

  static var available: [InteropProgram] {
    allCases.filter { FileManager.default.isExecutableFile(atPath: $0.executable.path) }
  }

  /// The Python of the raw HTTP/2 peer.
  static func python(_ script: String, _ arguments: [String]) -> Process? {
    guard available.contains(.grpcio) else { return nil }
    return InteropProgram.grpcio.process([Self.script(named: script)] + arguments)
  }

  private static func script(named name: String) -> String {
    folder.appendingPathComponent("Tests/Interop/python/transport/\(name).py").path
  }

  /// A process that is the server; it prints its port.
  func server(_ tls: [String]) -> Process {
    switch self {
    case .grpcGo: process(tls + ["server", "127.0.0.1:0"])
    case .grpcio: process([Self.script(named: "echo_server")] + tls)
    }
  }

  /// A process that checks the server at `port`.
  func client(port: Int, _ tls: [String] = []) -> Process {
    switch self {
    case .grpcGo: process(tls + ["client", "127.0.0.1:\(port)"])
    case .grpcio: process([Self.script(named: "echo_client"), "127.0.0.1:\(port)"] + tls)
    }
  }

  /// A process that makes one call of `Ignore` to the server at `port`, says so, and ends well when the call does.
  func drainingClient(port: Int) -> Process {
    switch self {
    case .grpcGo: process(["drain", "127.0.0.1:\(port)"])
    case .grpcio: process([Self.script(named: "echo_client"), "127.0.0.1:\(port)", "--drain"])
    }
  }

  private func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    return process
  }
}

extension Process {
  /// Runs to the end; returns the exit code and what was printed.
  func output() async throws -> (code: Int32, text: String) {
    let pipe = Pipe()
    standardOutput = pipe
    standardError = pipe
    try run()
    let text = await Task.detached { String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }.value
    waitUntilExit()
    return (terminationStatus, text)
  }

  /// Runs `body` once the process has printed a line, then ends its input; returns the exit code and what else it printed.
  func output(_ body: () async throws -> Void) async throws -> (code: Int32, text: String) {
    let (input, output) = (Pipe(), Pipe())
    standardInput = input
    standardOutput = output
    standardError = output
    try run()
    let failure: (any Error)?
    let first = await Self.line(from: output)
    do {
      if first == "begun" { try await body() }
      failure = nil
    } catch {
      failure = error
    }
    try input.fileHandleForWriting.close()
    let rest = await Task.detached { String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }.value
    waitUntilExit()
    if let failure { throw failure }
    return (terminationStatus, first + " " + rest)
  }

  private static func line(from output: Pipe) async -> String {
    await Task.detached {
      var line = Data()
      while let byte = try? output.fileHandleForReading.read(upToCount: 1), let value = byte.first, value != 10 {
        line.append(value)
      }
      return String(decoding: line, as: UTF8.self)
    }.value
  }

  /// Starts a server that prints its port, and ends it when `body` returns. A server that reads `drain` takes no more calls.
  func whileServing<Result>(_ body: (_ port: Int, _ input: FileHandle) async throws -> Result) async throws -> Result {
    let (input, output) = (Pipe(), Pipe())
    standardInput = input
    standardOutput = output
    try run()
    defer {
      // The programs end with their input. SIGTERM would not do: a child inherits the signal mask of the thread that
      // starts it, and Swift's threads block signals.
      try? input.fileHandleForWriting.close()
      waitUntilExit()
    }
    let line = await Self.line(from: output)
    guard let port = Int(line) else { throw NoPort(line: line) }
    return try await body(port, input.fileHandleForWriting)
  }

  struct NoPort: Error { let line: String }
}
