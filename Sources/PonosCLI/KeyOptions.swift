import ArgumentParser
import Foundation
import Glibc
import PonosCore
import PonosCrypto

extension SignatureCurve: ExpressibleByArgument {}

/// Where a command takes a password from: a file, a variable, or the terminal without echo.
struct PasswordOptions: ParsableArguments {
  @Option(help: ArgumentHelp("File whose first line is the keystore's password.", valueName: "file"))
  var passwordFile: String?

  /// The variable read when no file is given.
  private static let variable = "PONOS_KEYSTORE_PASSWORD"

  /// - Parameter isNew: Asks twice at the terminal, so that a slip does not lock the key away.
  func read(isNew: Bool) throws -> SecretBytes {
    if let passwordFile {
      let text = try SmallFile.read(passwordFile, what: "the password file")
      return SecretBytes(copying: text.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
    }
    if let value = ProcessInfo.processInfo.environment[Self.variable] { return SecretBytes(text: value) }
    guard isatty(STDIN_FILENO) == 1 else {
      throw CommandFailure("no password: give --password-file or set \(Self.variable)")
    }
    let first = try Self.ask("Password: ")
    if isNew, try Self.ask("Again: ") != first { throw CommandFailure("the two passwords differ; nothing was written") }
    return first
  }

  private static func ask(_ prompt: String) throws -> SecretBytes {
    var buffer = [UInt8](repeating: 0, count: 1024)
    defer { explicit_bzero(&buffer, buffer.count) }
    guard let count = readSilently(prompt, into: &buffer) else { throw CommandFailure("the password could not be read") }
    return SecretBytes(copying: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") })
  }

  /// Reads a line from the terminal with echo turned off; the terminal hands lines over whole.
  private static func readSilently(_ prompt: String, into buffer: inout [UInt8]) -> Int? {
    FileHandle.standardError.write(Data(prompt.utf8))
    var saved = termios()
    guard tcgetattr(STDIN_FILENO, &saved) == 0 else { return nil }
    var silent = saved
    silent.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
    defer {
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
      FileHandle.standardError.write(Data("\n".utf8))
    }
    let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
    return count > 0 ? count : nil
  }
}

/// Files a person names, read with a bound.
enum SmallFile {
  private static let maxBytes = 2 << 20

  static func read(_ path: String, what: String) throws -> [UInt8] {
    do {
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { try? file.close() }
      let bytes = Array(try file.read(upToCount: maxBytes + 1) ?? Data())
      guard bytes.count <= maxBytes else { throw CommandFailure("\(what) \(path) is larger than \(maxBytes) bytes") }
      return bytes
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure("\(what) \(path) cannot be read: \(error.localizedDescription)")
    }
  }

  /// Writes a new file that only its owner may read; never replaces one.
  static func writeSecret(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let reason = errno == EEXIST ? "it exists already; choose another name" : String(cString: strerror(errno))
      throw CommandFailure("\(path) cannot be written: \(reason)")
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try file.write(contentsOf: Data(bytes))
    try file.synchronize()
    try file.close()
  }
}

/// A private key given to a command: a file with hex digits, or a keystore.
struct SigningKeyOptions: ParsableArguments {
  @Option(help: ArgumentHelp("File with the hex digits of the private key.", valueName: "file"))
  var keyFile: String?

  @Option(help: ArgumentHelp("Keystore of the private key (EIP-2335 v4 or Web3 v3).", valueName: "file"))
  var keystore: String?

  @Option(help: "Curve of the private key: ecdsa or bn254.")
  var curve = SignatureCurve.ecdsa

  @OptionGroup var password: PasswordOptions

  func validate() throws {
    if keyFile != nil && keystore != nil { throw ValidationError("give --key-file or --keystore, not both") }
  }

  /// The key; nil when none was given.
  func load() throws -> SigningKey? {
    if let keyFile {
      let digits = SecretBytes(copying: try SmallFile.read(keyFile, what: "the key file"))
      do throws(KeyError) { return try SigningKey(curve: curve, hex: digits) } catch {
        throw CommandFailure("\(keyFile): \(error.message)")
      }
    }
    guard let keystore else { return nil }
    let json = try SmallFile.read(keystore, what: "the keystore")
    let secret = try password.read(isNew: false)
    do throws(KeystoreError) { return try SigningKey(curve: curve, keystore: json, password: secret) } catch {
      throw CommandFailure("\(keystore): \(error.message)")
    }
  }
}
