import PonosCore

/// Makes the connection that a performer's interface asks for.
package enum PerformerConnector {
  package static func connect(_ endpoint: PerformerEndpoint) throws -> any PerformerConnection {
    switch endpoint.interface.style {
    case .grpc: try GRPCPerformerConnection(endpoint)
    case .http(let taskPath, let healthPath):
      HTTPPerformerConnection(endpoint, taskPath: taskPath, healthPath: healthPath)
    }
  }
}
