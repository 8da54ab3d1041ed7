/// Where EigenLayer's contracts are on an L1 chain.
package struct EigenLayerDeployment: Hashable, Sendable {
  package var allocationManager: EthereumAddress
  package var keyRegistrar: EthereumAddress
  package var taskMailbox: EthereumAddress
  package var ecdsaCertificateVerifier: EthereumAddress

  package init(
    allocationManager: EthereumAddress, keyRegistrar: EthereumAddress, taskMailbox: EthereumAddress,
    ecdsaCertificateVerifier: EthereumAddress
  ) {
    self.allocationManager = allocationManager
    self.keyRegistrar = keyRegistrar
    self.taskMailbox = taskMailbox
    self.ecdsaCertificateVerifier = ecdsaCertificateVerifier
  }

  /// The deployment on `chainID`; nil for a chain without a known one.
  ///
  /// Ethereum (1) and Sepolia (11155111) as EigenLayer publishes them. Local development chains (31337, 31338) start from a copy
  /// of Sepolia. Base (8453) and Base Sepolia (84532) have the mailbox and the verifier at the same addresses; the other two
  /// contracts are on L1 only.
  package static func known(chainID: UInt64) -> EigenLayerDeployment? {
    switch chainID {
    case 1, 8453: mainnet
    case 11_155_111, 84532, 31337, 31338: sepolia
    default: nil
    }
  }

  private static let mainnet = EigenLayerDeployment(
    allocationManager: address("948a420b8cc1d6bfd0b6087c2e7c344a2cd0bc39"),
    keyRegistrar: address("54f4bc6bdebe479173a2bbdc31dd7178408a57a4"),
    taskMailbox: address("132b466d9d5723531f68797519dfed701ac2c749"),
    ecdsaCertificateVerifier: address("d0930ee96d07de4f9d493c259232222e46b6ec25"))

  private static let sepolia = EigenLayerDeployment(
    allocationManager: address("42583067658071247ec8ce0a516a58f682002d07"),
    keyRegistrar: address("a4db30d08d8bbca00d40600bee9f029984db162a"),
    taskMailbox: address("b99cc53e8db7018f557606c2a5b066527bf96b26"),
    ecdsaCertificateVerifier: address("b3cd1a457dea9a9a6f6406c6419b1c326670a96f"))

  private static func address(_ digits: String) -> EthereumAddress {
    guard let address = EthereumAddress(hex: "0x" + digits) else { preconditionFailure("\(digits) is no address") }
    return address
  }
}
