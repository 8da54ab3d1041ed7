import Dispatch
import Foundation
import Testing

@testable import PonosPerformer

/// A performer as a process of its own.
@Suite struct PerformerProcessTests {
  /// The program stands beside the test bundle.
  private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "SquarePerformer")

  @Test(arguments: [("PERFORMER_PORT", "http"), ("TASK_DELAY_MS", "soon")])
  func aSettingThatMakesNoSenseIsOneLineAndStatus1(name: String, value: String) throws {
    let line = try refusal(environment: [name: value])
    #expect(line.contains("\(name) is '\(value)'"))
  }

  @Test func aPortThatIsTakenIsOneLineAndStatus1() throws {
    let port = try TakenPort()
    _ = try refusal(environment: ["PERFORMER_PORT": "\(port.number)"])
  }

  /// What the program says, on standard error, when it does not come up.
  private func refusal(environment: [String: String]) throws -> String {
    let process = Process()
    process.executableURL = Self.program
    process.environment = environment
    let errors = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    // One that serves after all is a failure, not a test that never ends.
    let watchdog = DispatchWorkItem { [id = process.processIdentifier] in kill(id, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 30, execute: watchdog)
    defer { watchdog.cancel() }
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 1)
    #expect(text.hasPrefix("the performer cannot serve: "), "\(text)")
    #expect(text.split(separator: "\n").count == 1, "\(text)")
    return text
  }

  /// A log nobody reads is no reason to stop.
  @Test func linesForAReaderThatIsGoneAreDropped() throws {
    signal(SIGPIPE, SIG_IGN)
    let pipe = Pipe()
    let stream = StandardStream(pipe.fileHandleForWriting.fileDescriptor)
    stream.write("read")
    #expect(pipe.fileHandleForReading.availableData == Data("read\n".utf8))
    try pipe.fileHandleForReading.close()
    stream.write("dropped")
    stream.write("dropped too")
  }
}

/// A TCP port of this host that somebody listens on.
private final class TakenPort {
  private let descriptor: Int32
  let number: UInt16

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, length) == 0 && listen(descriptor, 1) == 0 && getsockname(descriptor, pointer, &length) == 0
      }
    }
    number = UInt16(bigEndian: address.sin_port)
    try #require(isBound)
  }

  deinit { close(descriptor) }
}
