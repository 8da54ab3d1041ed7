import PonosCore

/// The contract that verifies certificates of ECDSA operator sets.
package struct ECDSACertificateVerifier: Sendable {
  package let address: EthereumAddress

  package init(address: EthereumAddress) {
    self.address = address
  }

  /// The EIP-712 domain separator that is part of what is signed.
  package func domainSeparator() -> ContractCall<Digest32> {
    let view = ViewCall(
      contract: address, data: CallData("domainSeparator()").bytes, name: "ECDSACertificateVerifier.domainSeparator")
    return ContractCall(view) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let separator = try reader.digest()
      try reader.finish()
      return separator
    }
  }
}
