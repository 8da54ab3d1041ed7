import PonosCore

/// The deployed ECDSA certificate verifier contracts and their EIP-712 domain.
package enum CertificateVerifiers {
  /// The verifier's proxy for an L1 chain; nil for a chain without a known deployment.
  ///
  /// Addresses coincide on a chain and the L2s it serves: Ethereum and Base, and Sepolia, Base Sepolia and the local
  /// development chains, which start from a copy of Sepolia.
  package static func ecdsaAddress(chainID: UInt64) -> EthereumAddress? {
    EigenLayerDeployment.known(chainID: chainID)?.ecdsaCertificateVerifier
  }

  /// The EIP-712 domain separator of the verifier at `verifier`. The domain has no chain id, so one serves L1 and its L2s.
  package static func domainSeparator(verifier: EthereumAddress) -> Digest32 {
    Keccak256.hash(domainPrefix + ABIWord.encode(verifier))
  }

  /// Hashes of the domain type, the name, and the version (the major version of the deployed contracts).
  private static let domainPrefix: [UInt8] =
    ["EIP712Domain(string name,string version,address verifyingContract)", "EigenLayer", "1"]
    .flatMap { Keccak256.hash(Array($0.utf8)).bytes }
}
