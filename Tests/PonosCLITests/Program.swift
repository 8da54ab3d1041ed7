import Dispatch
import Foundation
import Testing

/// The built program as a shell sees it.
enum Program {
  struct Ended {
    let status: Int32
    let output: String
    let errors: String
  }

  /// The program stands beside the test bundle.
  static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "ponos-executor")

  /// Runs it to its end. `environment` is all it gets.
  static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Ended {
    try run(arguments, environment: environment)
  }

  static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Ended {
    try run(process(arguments, environment: environment))
  }

  /// Runs it from a shell that first does `preparation`, which changes what a process inherits.
  static func run(after preparation: String, _ arguments: String...) throws -> Ended {
    let process = process(["-c", preparation + "; exec \"$@\"", "bash", path.path] + arguments)
    process.executableURL = URL(filePath: "/bin/bash")
    return try run(process)
  }

  /// Ready to be run, with nothing on standard input.
  static func process(_ arguments: [String], environment: [String: String] = [:]) -> Process {
    let process = Process()
    process.executableURL = path
    process.arguments = arguments
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    return process
  }

  private static func run(_ process: Process) throws -> Ended {
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let watchdog = watchdog(of: process)
    defer { watchdog.cancel() }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    // A signal counts as its negative number.
    let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return Ended(status: status, output: text, errors: complaints)
  }

  /// Ends a program that goes on waiting, which is a failure and not a test that never ends; to be cancelled when it has ended.
  static func watchdog(of process: Process) -> DispatchWorkItem {
    let end = DispatchWorkItem { [id = process.processIdentifier] in kill(id, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 180, execute: end)
    return end
  }

  /// Runs `body` with a directory of its own, which is gone afterwards.
  static func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory.path)
  }
}

extension String {
  /// Writes this text to a new file at `path`.
  func write(toFile path: String) throws {
    try Data(utf8).write(to: URL(filePath: path))
  }
}
