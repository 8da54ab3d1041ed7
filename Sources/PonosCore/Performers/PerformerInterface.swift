/// How a performer in its container is talked to.
package struct PerformerInterface: Hashable, Sendable, Codable {
  package enum Style: Hashable, Sendable, Codable {
    /// The Hourglass performer service and `grpc.health.v1.Health`.
    case grpc
    /// Plain HTTP; both paths begin with a slash.
    case http(taskPath: String, healthPath: String)
  }

  package var style: Style
  /// TCP port inside the container, 1 to 65535.
  package var port: Int

  package init(style: Style, port: Int) {
    self.style = style
    self.port = port
  }

  /// gRPC on port 8080, as the Hourglass performer contract says.
  package static let standard = PerformerInterface(style: .grpc, port: 8080)

  /// What a performer has to answer to count as ready, as errors put it.
  package var demand: String {
    switch style {
    case .grpc: "It must answer grpc.health.v1.Health on port \(port) with SERVING."
    case .http(_, let healthPath): "It must answer GET \(healthPath) on port \(port) with status 200."
    }
  }
}
