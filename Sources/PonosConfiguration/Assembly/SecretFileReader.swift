import Glibc
import PonosCrypto
import PonosSystem

/// Reads secrets from settings, and from files that settings such as `passwordFile` name.
struct SecretFileReader {
  let report: ConfigurationReport

  /// The secret under `key` or in the file that `fileKey` names, whichever the higher layer gives; the default of `key` if none gives either.
  /// nil after an error was reported.
  func value(of section: ConfigurationSection, _ key: String, orFile fileKey: String) -> SecretBytes? {
    if section.isGiven(key), section.isGiven(fileKey),
      section.origin(key)?.precedence == section.origin(fileKey)?.precedence
    {
      report.add(
        .error, .conflict, key: section.path.appending(key: fileKey), origin: section.origin(fileKey),
        "is given together with \(key)", cure: "keep one of the two")
      return nil
    }
    guard section.strongest(of: [key, fileKey]) == fileKey else { return section.text(key).map(SecretBytes.init(text:)) }
    return content(of: section, fileKey)
  }

  /// What the file under `key` holds, without the line breaks at its end; nil after an error was reported.
  func content(of section: ConfigurationSection, _ key: String) -> SecretBytes? {
    guard let path = section.text(key) else { return nil }
    do {
      return try SecretBytes(file: path)
    } catch {
      let name = BoundedFile.displayName(ofSecret: path)
      report.add(
        .error, .unreadableSecret, key: section.path.appending(key: key), origin: section.origin(key),
        "cannot read \(name ?? "the file named here"): \(error.message)",
        cure: name == nil
          ? "write the full path of a file that holds the secret, not the secret itself" : "check the path and who may read it")
      return nil
    }
  }

  func exists(_ path: String) -> Bool {
    access(path, R_OK) == 0
  }
}
