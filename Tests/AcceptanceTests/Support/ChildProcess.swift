import Foundation
import Synchronization

/// A program started by a test, with everything it prints going to a file.
final class ChildProcess: Sendable {
  let log: URL
  private let process: Mutex<Process>
  /// Of the process itself; stays the same after it has ended.
  let id: pid_t

  /// - Parameters:
  ///   - environment: All of it; nothing is inherited.
  ///   - log: Receives standard output and error; what is there already is kept.
  init(_ executable: URL, _ arguments: [String], environment: [String: String], log: URL) throws {
    if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
    let output = try FileHandle(forWritingTo: log)
    defer { try? output.close() }
    try output.seekToEnd()
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    id = process.processIdentifier
    self.log = log
    self.process = Mutex(process)
  }

  var isRunning: Bool { process.withLock { $0.isRunning } }

  /// How the process ended; nil while it runs. A signal counts as its negative number.
  var exitStatus: Int32? {
    process.withLock { process in
      guard !process.isRunning else { return nil }
      return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
  }

  /// Sends a signal, unless the process has ended already.
  func signal(_ number: Int32) {
    if isRunning { kill(id, number) }
  }

  /// Waits for the end and returns its status.
  func ended(within limit: Duration) async throws -> Int32 {
    try await wait(for: "process \(id) to end", within: limit) { exitStatus }
  }

  /// Ends the process whatever it does, and returns when it is gone.
  func end() async {
    signal(SIGKILL)
    _ = try? await ended(within: .seconds(10))
  }

  /// All that was printed so far.
  var output: String {
    (try? String(contentsOf: log, encoding: .utf8)) ?? ""
  }
}

/// Runs a program to its end.
enum Command {
  struct Failure: Error, CustomStringConvertible {
    let command: String
    let status: Int32
    let output: String
    var description: String { "`\(command)` ended with status \(status): \(output)" }
  }

  /// Looks `arguments[0]` up in PATH; returns what it printed. Throws `Failure` unless it ends with 0 within `limit`.
  @discardableResult
  static func run(
    _ arguments: String..., environment: [String: String]? = nil, within limit: Duration = .seconds(60)
  ) async throws -> String {
    try await run(arguments, environment: environment, within: limit)
  }

  @discardableResult
  static func run(
    _ arguments: [String], environment: [String: String]? = nil, within limit: Duration = .seconds(60)
  ) async throws -> String {
    let log = FileManager.default.temporaryDirectory.appending(path: "ponos-command-\(UUID())")
    defer { try? FileManager.default.removeItem(at: log) }
    let process = try ChildProcess(
      URL(filePath: "/usr/bin/env"), arguments, environment: environment ?? ProcessInfo.processInfo.environment, log: log)
    let status: Int32
    do { status = try await process.ended(within: limit) } catch {
      await process.end()
      throw error
    }
    guard status == 0 else {
      throw Failure(command: arguments.joined(separator: " "), status: status, output: process.output)
    }
    return process.output
  }
}
