/// One operator set of an AVS: the group of operators whose keys count together.
package struct OperatorSet: Hashable, Sendable, Codable, CustomStringConvertible {
  package let avs: EthereumAddress
  /// Chosen by the AVS; 0 is legal.
  package let id: UInt32

  package init(avs: EthereumAddress, id: UInt32) {
    self.avs = avs
    self.id = id
  }

  package var description: String { "\(avs)/\(id)" }
}
