extension ConfigurationSchema {
  /// The operator and the keys it signs with.
  static let operatorKeys: [ConfigurationKey] =
    [
      ConfigurationKey("operator", .group, required: true, "Who this executor works for."),
      ConfigurationKey(
        "operator.address", .address, required: true,
        "Address of the operator; submissions for another address are refused."),
      ConfigurationKey(
        ignored: "operator.operatorPrivateKey",
        because: "the executor sends no transactions, so leave this key out and keep it off this host"),
      ConfigurationKey(
        "operator.signingKeys", .group, required: true,
        "The keys results are signed with: `ecdsa`, `bls` or both, for operator sets of these curves."),
    ] + signingKeys(below: "operator.signingKeys")

  /// The keys of one group of signing keys: the operator's own, an AVS's or an operator set's.
  static func signingKeys(below group: String) -> [ConfigurationKey] {
    ecdsaKeys(group) + blsKeys(group)
  }

  private static func ecdsaKeys(_ group: String) -> [ConfigurationKey] {
    [
      ConfigurationKey(
        "\(group).ecdsa", .group, "The secp256k1 key: `privateKey`, `privateKeyFile` or `keystore`."),
      ConfigurationKey(
        "\(group).ecdsa.privateKey", .ecdsaPrivateKey, secret: true, "The key itself, with or without 0x."),
      ConfigurationKey("\(group).ecdsa.privateKeyFile", .path, "File that holds the key in hex."),
      ConfigurationKey("\(group).ecdsa.keystore", .group, "An encrypted key: Web3 v3 or EIP-2335 v4."),
      ConfigurationKey("\(group).ecdsa.keystore.keystoreFile", .path, required: true, "The keystore."),
      ConfigurationKey(
        "\(group).ecdsa.keystore.password", .text, default: "", secret: true, "Its password; may be empty."),
      ConfigurationKey("\(group).ecdsa.keystore.passwordFile", .path, "File that holds the password."),
      ConfigurationKey(
        "\(group).ecdsa.useRemoteSigner", .boolean, default: "false", also: ["remoteSigner"],
        "Remote signers are not available in this version: `true` is an error."),
      ConfigurationKey(
        ignored: "\(group).ecdsa.remoteSignerConfig", because: "remote signers are not available in this version"),
    ]
  }

  private static func blsKeys(_ group: String) -> [ConfigurationKey] {
    [
      ConfigurationKey(
        "\(group).bls", .group, also: ["bn254"],
        "The BN254 key: `keystore`, `keystoreFile`, `privateKey` or `privateKeyFile`."),
      ConfigurationKey(
        "\(group).bls.keystore", .text, secret: true,
        "The JSON text of a keystore (EIP-2335 v4 or Web3 v3); wins over `keystoreFile`."),
      ConfigurationKey("\(group).bls.keystoreFile", .path, "The keystore."),
      ConfigurationKey("\(group).bls.password", .text, default: "", secret: true, "Its password; may be empty."),
      ConfigurationKey("\(group).bls.passwordFile", .path, "File that holds the password."),
      ConfigurationKey(
        "\(group).bls.privateKey", .bn254PrivateKey, secret: true, "The key itself, with or without 0x."),
      ConfigurationKey("\(group).bls.privateKeyFile", .path, "File that holds the key in hex."),
    ]
  }
}
