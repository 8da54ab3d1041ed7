# pragma version 0.4.3
# pragma evm-version london
"""The EIP-712 domain of EigenLayer's ECDSACertificateVerifier, which has no chain id."""

@external
@view
def domainSeparator() -> bytes32:
    return keccak256(
        concat(
            keccak256("EIP712Domain(string name,string version,address verifyingContract)"),
            keccak256("EigenLayer"),
            keccak256("1"),
            convert(self, bytes32),
        )
    )
