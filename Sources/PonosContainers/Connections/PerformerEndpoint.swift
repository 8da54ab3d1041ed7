import PonosCore

/// Where the container of a performer listens, and what it speaks there.
package struct PerformerEndpoint: Sendable, Hashable {
  package let performerID: String
  package let avs: EthereumAddress
  /// IP address as text.
  package let host: String
  package let interface: PerformerInterface

  package var port: Int { interface.port }

  package init(performerID: String, avs: EthereumAddress, host: String, interface: PerformerInterface) {
    self.performerID = performerID
    self.avs = avs
    self.host = host
    self.interface = interface
  }
}
