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
    ] + ecdsaKeys + blsKeys

  private static let ecdsaKeys: [ConfigurationKey] = [
    ConfigurationKey(
      "operator.signingKeys.ecdsa", .group, "The secp256k1 key: `privateKey`, `privateKeyFile` or `keystore`."),
    ConfigurationKey(
      "operator.signingKeys.ecdsa.privateKey", .ecdsaPrivateKey, secret: true, "The key itself, with or without 0x."),
    ConfigurationKey("operator.signingKeys.ecdsa.privateKeyFile", .path, "File that holds the key in hex."),
    ConfigurationKey("operator.signingKeys.ecdsa.keystore", .group, "An encrypted key: Web3 v3 or EIP-2335 v4."),
    ConfigurationKey("operator.signingKeys.ecdsa.keystore.keystoreFile", .path, required: true, "The keystore."),
    ConfigurationKey(
      "operator.signingKeys.ecdsa.keystore.password", .text, default: "", secret: true, "Its password; may be empty."),
    ConfigurationKey("operator.signingKeys.ecdsa.keystore.passwordFile", .path, "File that holds the password."),
    ConfigurationKey(
      "operator.signingKeys.ecdsa.useRemoteSigner", .boolean, default: "false", also: ["remoteSigner"],
      "Remote signers are not available in this version: `true` is an error."),
    ConfigurationKey(
      ignored: "operator.signingKeys.ecdsa.remoteSignerConfig", because: "remote signers are not available in this version"),
  ]

  private static let blsKeys: [ConfigurationKey] = [
    ConfigurationKey(
      "operator.signingKeys.bls", .group, also: ["bn254"],
      "The BN254 key: `keystore`, `keystoreFile`, `privateKey` or `privateKeyFile`."),
    ConfigurationKey(
      "operator.signingKeys.bls.keystore", .text, secret: true,
      "The JSON text of a keystore (EIP-2335 v4 or Web3 v3); wins over `keystoreFile`."),
    ConfigurationKey("operator.signingKeys.bls.keystoreFile", .path, "The keystore."),
    ConfigurationKey("operator.signingKeys.bls.password", .text, default: "", secret: true, "Its password; may be empty."),
    ConfigurationKey("operator.signingKeys.bls.passwordFile", .path, "File that holds the password."),
    ConfigurationKey(
      "operator.signingKeys.bls.privateKey", .bn254PrivateKey, secret: true, "The key itself, with or without 0x."),
    ConfigurationKey("operator.signingKeys.bls.privateKeyFile", .path, "File that holds the key in hex."),
  ]
}
