import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import PonosCore
import PonosSystem

/// Asks for a path of a performer that speaks HTTP/1.1, with the client that brings it tasks: status 200 says that it serves.
struct HTTPHealthProbe: Probe {
  let client: HTTPClient
  /// Scheme, host and port.
  let origin: String
  /// Begins with a slash.
  let path: String

  func check(timeout: Duration) async -> ProbeResult {
    do {
      let result = try await withDeadline(timeout) { () -> ProbeResult in
        let response = try await client.execute(HTTPClientRequest(url: origin + path), deadline: .distantFuture)
        let text = try await HTTPBody.text(of: response.body)
        return response.status == .ok ? .serving : .notServing("GET \(path) answers \(response.status.code): \(text)")
      }
      return result ?? .timedOut("GET \(path) was not answered within \(timeout)")
    } catch {
      return .unreachable("\(error)")
    }
  }
}
