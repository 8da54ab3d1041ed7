import ArgumentParser
import Glibc
import PonosCrypto

/// Asks for passwords at the terminal on standard input.
enum TerminalPassword {
  /// Longest line that a terminal delivers, in bytes.
  private static let maximumLine = 4096
  /// The character that Ctrl-C sends.
  private static let interrupt: UInt8 = 0x03

  /// Reads a line with echo turned off. Ctrl-C restores the terminal and exits with 130, as it does elsewhere.
  static func ask(_ prompt: String) throws -> SecretBytes {
    var count = 0
    let line = try SecretBytes(count: maximumLine) { buffer in
      count = try withoutEcho(prompt) { Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count) }
    }
    return try line.withUnsafeBytes { bytes in
      let typed = bytes.prefix(max(count, 0))
      if typed.contains(interrupt) { throw ExitCode(128 + SIGINT) }
      guard !typed.isEmpty else { throw CommandFailure("the password could not be read") }
      return SecretBytes(copying: typed.prefix { $0 != UInt8(ascii: "\n") })
    }
  }

  private static func withoutEcho(_ prompt: String, _ read: () -> Int) throws -> Int {
    var saved = termios()
    guard tcgetattr(STDIN_FILENO, &saved) == 0 else { throw CommandFailure("the terminal cannot be set up for a password") }
    var silent = saved
    // A signal would end the process and leave the terminal without echo. With signals off Ctrl-C is a character, and as an additional
    // end of line it arrives at once.
    silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
    silent.c_lflag |= tcflag_t(ICANON)
    withUnsafeMutableBytes(of: &silent.c_cc) { $0[Int(VEOL)] = interrupt }
    guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else {
      throw CommandFailure("the terminal cannot be set up for a password")
    }
    defer {
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
      Console.show("\n")
    }
    // The prompt comes after echo is off: what is typed before that is shown.
    Console.show(prompt)
    while true {
      let count = read()
      if count < 0, errno == EINTR { continue }
      return count
    }
  }
}
