import PonosCore

/// Where the container of a performer listens.
package struct PerformerEndpoint: Sendable, Hashable {
  package let performerID: String
  package let avs: EthereumAddress
  /// IP address as text.
  package let host: String
  package let port: Int

  package init(performerID: String, avs: EthereumAddress, host: String, port: Int) {
    self.performerID = performerID
    self.avs = avs
    self.host = host
    self.port = port
  }
}
