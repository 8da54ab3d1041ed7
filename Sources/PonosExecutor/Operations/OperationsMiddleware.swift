import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Tells browsers to run nothing but our own script and to let nobody frame or sniff the answer.
struct SecurityHeaders: RouterMiddleware {
  private static let fields: [(HTTPField.Name, String)] = [
    (
      .contentSecurityPolicy,
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    (.xContentTypeOptions, "nosniff"),
    (HTTPField.Name("Referrer-Policy")!, "no-referrer"),
    (HTTPField.Name("X-Frame-Options")!, "DENY"),
    (HTTPField.Name("Cross-Origin-Resource-Policy")!, "same-origin"),
    (HTTPField.Name("Cross-Origin-Opener-Policy")!, "same-origin"),
  ]

  func handle(
    _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    var response: Response
    do {
      response = try await next(request, context)
    } catch let error as any HTTPResponseError {
      response = try error.response(from: request, context: context)
    }
    for (name, value) in Self.fields { response.headers[name] = value }
    return response
  }
}

/// Refuses every method but GET and HEAD: nothing here changes anything.
struct ReadOnlyMethods: RouterMiddleware {
  func handle(
    _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    guard request.method == .get || request.method == .head else {
      return Response(status: .methodNotAllowed, headers: [.allow: "GET, HEAD"])
    }
    return try await next(request, context)
  }
}

/// Refuses requests that name a host this server is not known by, where it is reached over the loopback interface.
///
/// A web site can have its own name resolve to 127.0.0.1 and so read a local server with the browser's help; but the browser
/// then sends that name as the host. Health answers whoever asks: it says nothing but whether tasks are taken, and the checks of
/// load balancers often name no host at all.
struct HostGuard: RouterMiddleware {
  private static let explanation =
    "This server answers to localhost and to the names in operations.hosts of the configuration; behind a proxy, add the name people use.\n"
  private static let openPaths: Set<String> = ["/healthz", "/readyz"]

  /// Other names the server is known by, in lower case.
  let hosts: Set<String>

  func handle(
    _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    guard Self.openPaths.contains(request.uri.path) || isKnown(request.head.authority) else {
      return Response(
        status: .misdirectedRequest, headers: [.contentType: "text/plain; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: Self.explanation)))
    }
    return try await next(request, context)
  }

  private func isKnown(_ authority: String?) -> Bool {
    guard let authority else { return false }
    let host = Self.host(of: authority)
    return Self.isLoopback(host) || hosts.contains(host.lowercased())
  }

  /// Whether `host` is a name or address of the loopback interface.
  static func isLoopback(_ host: some StringProtocol) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// `authority` without its port, an IPv6 address without its brackets.
  static func host(of authority: String) -> Substring {
    if authority.hasPrefix("[") { return authority.dropFirst().prefix { $0 != "]" } }
    return authority.prefix { $0 != ":" }
  }
}
