import FoundationEssentials
import NIOCore
import NIOHTTP1

/// One call to the engine, without the parts that depend on where it runs: host and API version.
struct EngineRequest: Sendable {
  var method: HTTPMethod
  /// Path after the version, escaped, beginning with a slash.
  var path: String
  /// Names and unescaped values, sent in this order.
  var query: [(name: String, value: String)] = []
  var headers: [(name: String, value: String)] = []
  var body: ByteBuffer?
  /// Whether the path goes without a version, as `/version` and `/_ping` may.
  var isUnversioned = false

  /// The request of `GET` on `path`.
  static func get(_ path: String, query: [(name: String, value: String)] = []) -> EngineRequest {
    EngineRequest(method: .GET, path: path, query: query)
  }

  /// The request of `POST` on `path` without a body.
  static func post(_ path: String, query: [(name: String, value: String)] = []) -> EngineRequest {
    EngineRequest(method: .POST, path: path, query: query)
  }

  /// The request of `POST` on `path` with `value` as JSON.
  static func post(
    _ path: String, query: [(name: String, value: String)] = [], json value: some Encodable
  ) throws(DockerError) -> EngineRequest {
    EngineRequest(
      method: .POST, path: path, query: query, headers: [("Content-Type", "application/json")],
      body: ByteBuffer(bytes: try encode(value, for: "The body of POST \(path)")))
  }

  /// The request of `DELETE` on `path`.
  static func delete(_ path: String, query: [(name: String, value: String)] = []) -> EngineRequest {
    EngineRequest(method: .DELETE, path: path, query: query)
  }

  /// Method and path, as errors name the call.
  var summary: String { "\(method.rawValue) \(path)" }

  /// Path and query as they go over the line.
  func target(version: APIVersion?) -> String {
    var target = (version.map { "/v\($0)" } ?? "") + path
    for (index, item) in query.enumerated() {
      target += (index == 0 ? "?" : "&") + item.name + "=" + URLEncoding.encode(item.value)
    }
    return target
  }

  /// `identifier` (a container, an image reference) as a part of a path.
  static func segment(_ identifier: String) -> String {
    URLEncoding.encode(identifier, keeping: "/:@")
  }

  /// The `filters` parameter that lists of containers, networks, images and events take.
  static func filters(_ filters: [String: [String]]) throws(DockerError) -> (name: String, value: String) {
    ("filters", String(decoding: try encode(filters, for: "The filters of a list"), as: UTF8.self))
  }

  /// `value` as JSON; `subject` names it in errors.
  private static func encode(_ value: some Encodable, for subject: String) throws(DockerError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    do { return try encoder.encode(value) } catch {
      throw DockerError(.badRequest, "\(subject) cannot be written as JSON", cause: "\(error)")
    }
  }
}

/// A complete answer of the engine.
struct EngineReply: Sendable {
  let status: Int
  let headers: HTTPHeaders
  let body: ByteBuffer

  /// What the engine says went wrong: `message` of its JSON, or the beginning of whatever it sent.
  var errorMessage: String { EngineFailure.text(of: body) }
}

/// Reads the error bodies of engines.
enum EngineFailure {
  private struct Body: Decodable { let message: String? }

  /// `message` of the JSON body (Docker and Podman), or at most 500 characters of a body that is not such JSON.
  static func text(of body: ByteBuffer) -> String {
    if let message = (try? JSONDecoder().decode(Body.self, from: Data(body.readableBytesView)))?.message { return message }
    return String(buffer: body).prefix(500).split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  /// The error for an answer with a status that means failure.
  static func error(for request: EngineRequest, status: Int, message: String) -> DockerError {
    let code: DockerError.Code =
      switch status {
      case 404: .notFound
      case 409: .conflict
      case 400..<500: .badRequest
      case 500...: .engineFailed
      default: .malformedReply
      }
    return DockerError(code, "Docker refused \(request.summary) with status \(status)", status: status, cause: message)
  }
}
