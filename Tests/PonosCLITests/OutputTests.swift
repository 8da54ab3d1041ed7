import Foundation
import Testing

/// What becomes of output that cannot be written.
@Suite struct OutputTests {
  /// The daemon's libraries ignore SIGPIPE, and so may the shell; either way the end is quiet and what shells expect.
  @Test func aReaderThatIsGoneEndsItQuietly() throws {
    let process = Program.process(["-c", "trap '' PIPE; exec \"$@\"", "bash", Program.path.path, "version", "-o", "json"])
    process.executableURL = URL(filePath: "/bin/bash")
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output.fileHandleForWriting
    process.standardError = errors
    try output.fileHandleForReading.close()
    try process.run()
    let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 141)
    #expect(complaints.isEmpty, "\(complaints)")
  }

  @Test func aFullDiskIsAReadableFailure() throws {
    let ended = try Program.run(after: "exec >/dev/full", "version")
    #expect(ended.status == 1)
    #expect(ended.errors.hasPrefix("Error: standard output cannot be written: "), "\(ended.errors)")
  }

  @Test func diagnosticsNobodyReadsChangeNothing() throws {
    let ended = try Program.run(after: "exec 2>/dev/full", "config", "check", "/nonexistent/executor.yaml")
    #expect(ended.status == 78)
  }
}
