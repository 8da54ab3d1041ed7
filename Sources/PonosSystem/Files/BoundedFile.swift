import Glibc

/// Reads small files, never more of them than a bound, whatever the path leads to.
package enum BoundedFile {
  /// Why a file was not read, without its name: that may be a secret that was written into the wrong place.
  package enum ReadError: Error, Equatable, Sendable {
    case missing
    case notPermitted
    case directory
    /// A device, pipe or socket where only a file in the ordinary sense will do.
    case notRegular
    /// More than `maximum` bytes.
    case tooLarge(maximum: Int)
    /// Any other error, by its number in errno.h.
    case failed(errno: Int32)

    /// Half a sentence, to follow "cannot read …: ".
    package var message: String {
      switch self {
      case .missing: "there is no such file"
      case .notPermitted: "this user may not read it"
      case .directory: "it is a directory"
      case .notRegular: "it is not a regular file"
      case .tooLarge(let maximum): "it is larger than \(maximum) bytes"
      case .failed(let number): String(cString: strerror(number))
      }
    }
  }

  /// The whole content.
  ///
  /// - Parameters:
  ///   - maximum: A longer file is an error.
  ///   - regularOnly: Refuses pipes and devices, which may have no end or no beginning.
  package static func read(_ path: String, maximum: Int, regularOnly: Bool = false) throws(ReadError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: maximum + 1, alignment: 1)
    defer { buffer.deallocate() }
    let count = try read(path, into: buffer, regularOnly: regularOnly)
    guard count <= maximum else { throw .tooLarge(maximum: maximum) }
    return Array(buffer[..<count])
  }

  /// Fills `buffer` from the start of the file and returns how many bytes there were, at most as many as fit.
  package static func read(
    _ path: String, into buffer: UnsafeMutableRawBufferPointer, regularOnly: Bool = false
  ) throws(ReadError) -> Int {
    // Opening a pipe that nobody writes to would wait for a writer; on files the flag has no effect.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | (regularOnly ? O_NONBLOCK : 0))
    guard descriptor >= 0 else { throw ReadError(errno) }
    defer { close(descriptor) }
    try check(descriptor, regularOnly: regularOnly)
    var count = 0
    while count < buffer.count {
      let received = Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
      if received < 0, errno == EINTR { continue }
      guard received >= 0 else { throw ReadError(errno) }
      guard received > 0 else { break }
      count += received
    }
    return count
  }

  private static func check(_ descriptor: Int32, regularOnly: Bool) throws(ReadError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw ReadError(errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFDIR: throw .directory
    default: if regularOnly { throw .notRegular }
    }
  }
}

extension BoundedFile.ReadError {
  fileprivate init(_ number: Int32) {
    switch number {
    case ENOENT, ENOTDIR: self = .missing
    case EACCES, EPERM: self = .notPermitted
    case EISDIR: self = .directory
    default: self = .failed(errno: number)
    }
  }
}

extension BoundedFile {
  /// `path` as a message may show it when the file was to hold a secret; nil for what may be the secret itself, written where
  /// the name of its file belongs: a key or a password names no directory, and a URL with an access key is no path.
  package static func displayName(ofSecret path: String) -> String? {
    path.contains("/") && !path.contains("://") ? path : nil
  }

  /// `path` as a message may show it when the file was to be a keystore, which people name without a directory too: only what
  /// looks like a key in hex or like the keystore's own text is withheld.
  package static func displayName(ofKeystore path: String) -> String {
    let isDigits = path.utf8.count >= 32 && path.allSatisfy { $0.isHexDigit || $0 == "x" }
    return isDigits || path.contains("{") ? "the path given" : path
  }
}
