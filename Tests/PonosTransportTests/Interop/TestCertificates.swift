import Foundation
import Synchronization

#if PONOS_SANITIZE_THREAD
  import PonosTransport
#endif

/// Keys and certificates for one test run, made by the `openssl` program: a root, a server `localhost`, a client, and servers of other
/// names, `other.example` and `*.other.example`; the latter also lists the address 127.0.0.1.
struct TestCertificates: Sendable {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("ponos-tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=root")
    for name in ["server", "client", "other", "address"] { try issue(name) }
  }

  private static let made = Mutex<TestCertificates?>(nil)

  /// The same for all tests that need no others; left in the temporary folder.
  static func shared() throws -> TestCertificates {
    try made.withLock { made in
      if let made { return made }
      let fresh = try TestCertificates()
      made = fresh
      return fresh
    }
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private func issue(_ name: String) throws {
    let names =
      switch name {
      case "other": "DNS:other.example"
      case "address": "DNS:*.other.example,IP:127.0.0.1"
      default: "DNS:localhost,IP:127.0.0.1"
      }
    try "subjectAltName=\(names)\n".write(toFile: path("\(name).ext"), atomically: true, encoding: .utf8)
    try openssl(
      "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout \(name).key -out \(name).csr -subj /CN=\(name)")
    try openssl(
      "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -out \(name).pem -days 2 -extfile \(name).ext")
  }

  private func openssl(_ arguments: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = arguments.split(separator: " ").map(String.init)
    process.currentDirectoryURL = folder
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
  }

  struct Failure: Error { let arguments: String }
}
