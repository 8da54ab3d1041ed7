import PonosCrypto
import PonosSystem

/// Reads files that a person names, up to a bound.
enum SmallFile {
  private static let maximumSize = 2 << 20

  /// - Parameter what: What the file is, for the message: "the payload file".
  static func read(_ path: String, what: String) throws -> [UInt8] {
    do throws(BoundedFile.ReadError) { return try BoundedFile.read(path, maximum: maximumSize) } catch {
      throw CommandFailure("\(what) \(path) cannot be read: \(error.message)")
    }
  }

  /// The JSON text of a keystore.
  static func readKeystore(_ path: String) throws -> [UInt8] {
    do throws(BoundedFile.ReadError) { return try BoundedFile.read(path, maximum: Keystore.maximumSize) } catch {
      throw CommandFailure("the keystore \(BoundedFile.displayName(ofKeystore: path)) cannot be read: \(error.message)")
    }
  }
}

/// Files with a password or a private key.
enum SecretFile {
  /// - Parameter option: Where the name was given, for the message.
  static func read(_ path: String, option: String) throws -> SecretBytes {
    do throws(BoundedFile.ReadError) { return try SecretBytes(file: path) } catch {
      guard let name = BoundedFile.displayName(ofSecret: path) else {
        throw CommandFailure(
          "\(option): the file named there cannot be read: \(error.message); "
            + "give the full path of a file that holds the secret, not the secret itself")
      }
      throw CommandFailure("\(option): \(name) cannot be read: \(error.message)")
    }
  }
}
