import PonosCore
import PonosCrypto
import PonosSystem

/// The operator and its keys.
extension ConfigurationAssembly {
  func identity() -> OperatorIdentity? {
    let section = root.section("operator")
    let keys = section.section("signingKeys")
    let ecdsa = ecdsaKey(keys.section("ecdsa"))
    let bls = blsKey(keys.section("bls"))
    if keys.isPresent, !namesKey(keys.section("ecdsa")), !namesKey(keys.section("bls")) {
      report.add(
        .error, .missingKey, key: keys.path, origin: keys.node?.origin, "holds no key, so nothing could be signed",
        cure: "add ecdsa or bls with a privateKey, a keystore or their …File variants")
    }
    guard let address = section.address("address") else { return nil }
    return OperatorIdentity(address: address, ecdsaKey: ecdsa, bn254Key: bls)
  }

  /// The keys of an AVS or an operator set.
  func signingKeys(_ keys: ConfigurationSection) -> SigningKeySources {
    SigningKeySources(ecdsa: ecdsaKey(keys.section("ecdsa")), bn254: blsKey(keys.section("bls")))
  }

  /// Whether any key is meant here, even one that cannot be used and has been reported.
  private func namesKey(_ section: ConfigurationSection) -> Bool {
    let isRemote = section.schema.name == "ecdsa" && section.boolean("useRemoteSigner") == true
    return isRemote || ["privateKey", "privateKeyFile", "keystore", "keystoreFile"].contains { section.node?[$0] != nil }
  }

  private func ecdsaKey(_ section: ConfigurationSection) -> KeySource? {
    if section.boolean("useRemoteSigner") == true {
      report.add(
        .error, .unsupported, key: section.path.appending(key: "useRemoteSigner"), origin: section.origin("useRemoteSigner"),
        "remote signers are not available in this version", cure: "give privateKey, privateKeyFile or keystore")
      return nil
    }
    let keystore = section.section("keystore")
    switch section.strongest(of: ["privateKey", "privateKeyFile", "keystore"]) {
    case "privateKey", "privateKeyFile":
      warnOfSecondKey(in: section, ["privateKey", "privateKeyFile"], ["keystore"])
      return hexKey(section, .ecdsa)
    case "keystore":
      guard let path = keystorePath(keystore), let password = password(keystore) else { return nil }
      return .keystoreFile(path: path, password: password)
    default:
      return nil
    }
  }

  private func blsKey(_ section: ConfigurationSection) -> KeySource? {
    switch section.strongest(of: ["keystore", "keystoreFile", "privateKey", "privateKeyFile"]) {
    case "keystore":
      warnOfSecondKey(in: section, ["keystore"], ["keystoreFile", "privateKey", "privateKeyFile"])
      guard let text = section.text("keystore"), let password = password(section) else { return nil }
      return .keystoreText(SecretBytes(text: text), password: password)
    case "keystoreFile":
      warnOfSecondKey(in: section, ["keystoreFile"], ["privateKey", "privateKeyFile"])
      guard let path = keystorePath(section), let password = password(section) else { return nil }
      return .keystoreFile(path: path, password: password)
    case "privateKey", "privateKeyFile":
      return hexKey(section, .bn254)
    default:
      return nil
    }
  }

  /// Warns when one layer gives two keys, of which the first in the documented order is used.
  private func warnOfSecondKey(in section: ConfigurationSection, _ used: [String], _ others: [String]) {
    guard let used = used.first(where: section.isGiven) else { return }
    for other in others where section.isGiven(other) && section.origin(other)?.precedence == section.origin(used)?.precedence {
      report.add(
        .warning, .conflict, key: section.path.appending(key: other), origin: section.origin(other),
        "has no effect beside \(used)", cure: "keep one of the two")
    }
  }

  private func hexKey(_ section: ConfigurationSection, _ curve: SignatureCurve) -> KeySource? {
    // A malformed value reads as nil, and the checker has reported it.
    guard let digits = secrets.value(of: section, "privateKey", orFile: "privateKeyFile") else { return nil }
    do throws(KeyError) {
      _ = try SigningKey(curve: curve, hex: digits)
      return .hex(digits)
    } catch {
      let key = section.strongest(of: ["privateKey", "privateKeyFile"]) ?? "privateKey"
      report.add(
        .error, .invalidValue, key: section.path.appending(key: key), origin: section.origin(key), error.message)
      return nil
    }
  }

  private func password(_ section: ConfigurationSection) -> SecretBytes? {
    secrets.value(of: section, "password", orFile: "passwordFile")
  }

  /// A keystore that is missing is an error on the host that is to use it, and a warning anywhere else.
  private func keystorePath(_ section: ConfigurationSection) -> String? {
    guard let path = section.text("keystoreFile") else { return nil }
    if !secrets.exists(path) {
      report.add(
        keystores == .mustBeThere ? .error : .warning, .unreadableSecret, key: section.path.appending(key: "keystoreFile"),
        origin: section.origin("keystoreFile"), "there is no readable file at \(BoundedFile.displayName(ofKeystore: path))",
        cure: "the executor needs it at start; check path and permissions")
    }
    return path
  }
}
