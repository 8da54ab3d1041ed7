import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Reads a daemon's operations server.
struct OperationsClient: Sendable {
  let port: Int

  struct Page: Sendable {
    let status: Int
    let contentType: String?
    let body: String
  }

  func get(_ path: String) async throws -> Page {
    let response = try await HTTPClient.shared.execute(
      HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)"), timeout: .seconds(10))
    let body = try await response.body.collect(upTo: 8 << 20)
    return Page(
      status: Int(response.status.code), contentType: response.headers.first(name: "content-type"),
      body: String(buffer: body))
  }

  /// Whether `/readyz?strict` answers 200: every AVS is served.
  func isReady() async -> Bool {
    (try? await get("/readyz?strict").status) == 200
  }

  func state() async throws -> ObservedState {
    try JSONDecoder().decode(ObservedState.self, from: Data(try await get("/api/v1/state").body.utf8))
  }

  /// The sum of a metric over all its label sets that contain every one of `labels` (`avs="0x…"`).
  func metric(_ name: String, labels: [String] = []) async throws -> Double {
    let lines = try await get("/metrics").body.split(separator: "\n")
    return lines.filter { line in
      (line.hasPrefix(name + " ") || line.hasPrefix(name + "{")) && labels.allSatisfy(line.contains)
    }.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
  }
}

/// The parts of `/api/v1/state` that tests look at.
struct ObservedState: Decodable, Sendable {
  struct Performer: Decodable, Sendable {
    let id: String
    let avs: String
    let state: String
    let containerID: String?
    let generation: Int
    let restarts: Int
    let isHealthy: Bool
    let lastError: String?
  }

  struct RecentTask: Decodable, Sendable {
    let id: String
    let phase: String
    let attempt: Int
  }

  let version: String
  let installationID: String?
  let performers: [Performer]
  let recentTasks: [RecentTask]
}
