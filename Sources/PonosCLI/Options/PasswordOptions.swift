import ArgumentParser
import Foundation
import Glibc
import PonosCrypto

/// Where a command takes a password from: a file, a variable, or the terminal without echo.
struct PasswordOptions: ParsableArguments {
  @Option(help: ArgumentHelp("File that holds the keystore's password; line breaks at its end do not count.", valueName: "file"))
  var passwordFile: String?

  /// The variable read when no file is given.
  private static let variable = "PONOS_KEYSTORE_PASSWORD"

  /// - Parameter isNew: Asks twice at the terminal, because a mistyped new password would lock the key away.
  func read(isNew: Bool) throws -> SecretBytes {
    if let passwordFile { return try SecretFile.read(passwordFile, option: "--password-file") }
    if let value = ProcessInfo.processInfo.environment[Self.variable] { return SecretBytes(text: value) }
    guard isatty(STDIN_FILENO) == 1 else {
      throw CommandFailure("no password: give --password-file or set \(Self.variable)")
    }
    let first = try TerminalPassword.ask("Password: ")
    if isNew, try TerminalPassword.ask("Again: ") != first {
      throw CommandFailure("the two passwords differ; nothing was written")
    }
    return first
  }
}
