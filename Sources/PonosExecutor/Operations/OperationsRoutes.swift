import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import PonosTelemetry

/// The paths of the operations server and what each answers.
struct OperationsRoutes: Sendable {
  let registry: PrometheusRegistry
  let readiness: @Sendable () -> Readiness
  let state: @Sendable () async -> StateDump

  /// - Parameter hosts: Names the server is known by beside those of the loopback interface; nil where it listens on other interfaces
  ///   too, and answers to any name.
  func router(hosts: Set<String>?) -> Router<BasicRequestContext> {
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.add(middleware: SecurityHeaders())
    if let hosts { router.add(middleware: HostGuard(hosts: hosts)) }
    router.add(middleware: ReadOnlyMethods())
    router.get("/healthz") { _, _ in Self.respond("ok\n", type: "text/plain; charset=utf-8") }
    router.get("/readyz") { request, _ in
      let parameters = request.uri.queryParameters
      return try readinessResponse(isVerbose: parameters["verbose"] != nil, isStrict: parameters["strict"] != nil)
    }
    router.get("/metrics") { _, _ in Self.respond(registry.text(), type: PrometheusText.contentType) }
    router.get("/api/v1/state") { _, _ in try Self.respond(json: await state()) }
    router.get("/") { _, _ in
      Self.respond(DashboardPage.render(await state()).text, type: "text/html; charset=utf-8")
    }
    router.get("/dashboard.css") { _, _ in Self.respond(DashboardAssets.style, type: "text/css; charset=utf-8") }
    router.get("/dashboard.js") { _, _ in
      Self.respond(DashboardAssets.script, type: "text/javascript; charset=utf-8")
    }
    router.get("/favicon.svg") { _, _ in Self.respond(DashboardAssets.icon, type: "image/svg+xml") }
    return router
  }

  /// - Parameter isStrict: Whether an AVS that is not served makes the whole node not ready.
  private func readinessResponse(isVerbose: Bool, isStrict: Bool) throws -> Response {
    let readiness = readiness()
    let isReady = isStrict ? readiness.isComplete : readiness.isReady
    if readiness.concerns.isEmpty, !isVerbose { return Self.respond("ok\n", type: "text/plain; charset=utf-8") }
    return try Self.respond(json: readiness, status: isReady ? .ok : .serviceUnavailable)
  }

  private static func respond(json value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    return respond(text + "\n", type: "application/json; charset=utf-8", status: status)
  }

  private static func respond(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: type, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
