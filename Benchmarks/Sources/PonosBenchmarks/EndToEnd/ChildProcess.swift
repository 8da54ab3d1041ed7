import Foundation

/// A process that the benchmarks start and end.
final class ChildProcess {
  private let process = Process()
  let log: String

  /// Starts `executable`; what it writes goes to the file `log`.
  init(_ executable: URL, _ arguments: [String], log: String) throws {
    self.log = log
    guard FileManager.default.createFile(atPath: log, contents: nil), let output = FileHandle(forWritingAtPath: log) else {
      throw SystemFailure("write \(log)")
    }
    process.executableURL = executable
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.runWithSignals()
  }

  deinit { stop() }

  var isRunning: Bool { process.isRunning }

  /// Asks the process to end, and waits for it.
  func stop() {
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }

  /// Ends the process at once, as a crash would, and waits for it.
  func crash() {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Seconds of processor time, user and system, of all the process's threads so far, and of its own child processes that have
  /// ended. Counted by the kernel in steps of 10 ms.
  func cpu() throws -> Double {
    let path = "/proc/\(process.processIdentifier)/stat"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    // The second field, the name, is in brackets and may hold anything; counted after it, utime and stime are fields 11 and 12,
    // those of children fields 13 and 14.
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    let ticks = fields.dropFirst(12).prefix(4).compactMap { Double($0) }
    guard ticks.count == 4 else { throw SystemFailure("read \(path)", reason: "unexpected content") }
    return ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// What it has written so far.
  var written: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

  /// The last lines it wrote, for messages.
  func tail() -> String { written.split(separator: "\n").suffix(12).joined(separator: "\n") }

  /// Runs a command to its end and returns what it wrote; throws when it failed.
  @discardableResult
  static func output(_ command: String...) throws -> String {
    try output(command)
  }

  /// The same for a command put together elsewhere.
  @discardableResult
  static func output(_ command: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardOutput = output
    process.standardError = output
    try process.runWithSignals()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw SystemFailure("run \(command.joined(separator: " "))", reason: text)
    }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension Process {
  /// Starts the process with no signal blocked. It inherits the mask of the thread that starts it, and those of Swift's thread pool
  /// block nearly all: a server would not hear SIGTERM, a program that measures by SIGALRM never end.
  fileprivate func runWithSignals() throws {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try run()
  }
}

/// Ports of the loopback interface.
enum LoopbackPort {
  /// One that nobody listens on now.
  static func free() throws -> Int {
    let descriptor = try openSocket()
    defer { close(descriptor) }
    var address = address(of: 0)
    let isBound = withPointer(to: &address) { address, length in
      var length = length
      return bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
    }
    guard isBound else { throw SystemFailure("bind a socket") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Whether somebody listens on the port.
  static func isOpen(_ port: Int) throws -> Bool {
    let descriptor = try openSocket()
    defer { close(descriptor) }
    var address = address(of: port)
    return withPointer(to: &address) { connect(descriptor, $0, $1) == 0 }
  }

  private static func openSocket() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw SystemFailure("open a socket") }
    return descriptor
  }

  private static func address(of port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    return address
  }

  private static func withPointer<Value>(
    to address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
