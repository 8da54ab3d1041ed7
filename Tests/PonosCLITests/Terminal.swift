import Foundation
import Glibc
import Testing

/// A terminal nobody sits at: what is written to `keyboard` is what its program reads.
final class Terminal {
  /// Standard input for a program.
  let input: FileHandle
  private let keyboard: Int32

  init() throws {
    keyboard = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var isLocked: Int32 = 0
    var number: UInt32 = 0
    try #require(keyboard >= 0 && ioctl(keyboard, Self.setLock, &isLocked) == 0 && ioctl(keyboard, Self.getNumber, &number) == 0)
    let descriptor = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    try #require(descriptor >= 0)
    input = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  // TIOCSPTLCK and TIOCGPTN of asm-generic/ioctls.h, macros that Swift does not import.
  private static let setLock: UInt = 0x4004_5431
  private static let getNumber: UInt = 0x8004_5430

  deinit { close(keyboard) }

  func type(_ text: String) {
    _ = text.utf8.withContiguousStorageIfAvailable { write(keyboard, $0.baseAddress, $0.count) }
  }

  /// Whether the terminal shows what is typed, and turns Ctrl-C into a signal.
  var isOrdinary: Bool {
    var settings = termios()
    guard tcgetattr(input.fileDescriptor, &settings) == 0 else { return false }
    return settings.c_lflag & tcflag_t(ECHO) != 0 && settings.c_lflag & tcflag_t(ISIG) != 0
  }
}
