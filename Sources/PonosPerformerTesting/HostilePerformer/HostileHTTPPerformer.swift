import NIOCore
import PonosTesting

/// A performer over HTTP that answers health probes as it should, and tasks as no HTTP library would. Payloads are words:
///
/// | word | what is answered |
/// |---|---|
/// | `giant` | a body of 1 GiB, announced |
/// | `swarm` | chunks of 64 KiB, 16,384 of them |
/// | `drip` | a body of 100,000 bytes, one byte every 20 milliseconds |
/// | `headers` | header fields without end |
/// | `no-length` | a body of which nobody can tell where it ends |
/// | `garbage` | bytes that are no HTTP |
///
/// Any other payload is answered as it is.
package enum HostileHTTPPerformer {
  private static let piece = String(repeating: "z", count: 1 << 16)

  /// Serves on `port` of every address until the process ends.
  package static func serve(port: Int) async throws {
    try await ScriptedSocketServer.serve(port: port, script: answer)
  }

  private static func answer(_ request: ScriptedSocketServer.Request) -> [ScriptedSocketServer.Step] {
    guard request.method == "POST" else { return .reply(200, "ok") }
    let payload = String(buffer: request.body)
    let id = "Ponos-Task-Id: \(request.header("Ponos-Task-Id").first ?? "")\r\n"
    let head = "HTTP/1.1 200 OK\r\n" + id
    return switch payload {
    case "giant": [.send(head + "Content-Length: \(1 << 30)\r\n\r\n"), .repeated(piece, times: 1 << 14)]
    case "swarm": [.send(head + "Transfer-Encoding: chunked\r\n\r\n"), .repeated("10000\r\n\(piece)\r\n", times: 1 << 14)]
    case "drip":
      [.send(head + "Content-Length: 100000\r\n\r\n")]
        + (0..<100_000).flatMap { _ in [.send("x"), .wait(.milliseconds(20))] as [ScriptedSocketServer.Step] }
    case "headers": [.send(head), .repeated("X-More: \(String(repeating: "h", count: 1000))\r\n", times: 1 << 20)]
    case "no-length": [.send(head + "\r\nhalf of i")]
    case "garbage": [.send("\u{16}\u{3}\u{1}this is not HTTP\r\n\r\n")]
    default: .reply(200, payload, headers: id)
    }
  }
}
