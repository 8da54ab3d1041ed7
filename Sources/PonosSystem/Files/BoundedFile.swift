import SystemPackage

/// Reads small files, never more of them than a bound, whatever the path leads to.
package enum BoundedFile {
  /// Why a file was not read. Without the file's name, which may be a secret that was written into the wrong place.
  package enum ReadError: Error, Equatable, Sendable {
    case missing
    case notPermitted
    case directory
    /// A device, pipe or socket, where the caller takes regular files only.
    case notRegular
    /// More than `maximum` bytes.
    case tooLarge(maximum: Int)
    /// Any other error of the system.
    case failed(Errno)

    /// Half a sentence, to follow "cannot read …: ".
    package var message: String {
      switch self {
      case .missing: "there is no such file"
      case .notPermitted: "this user may not read it"
      case .directory: "it is a directory"
      case .notRegular: "it is not a regular file"
      case .tooLarge(let maximum): "it is larger than \(maximum) bytes"
      case .failed(let error): "\(error)"
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
    do {
      // Opening a pipe that nobody writes to would wait for a writer; on files the flag has no effect.
      let file = try FileDescriptor.open(
        FilePath(path), .readOnly, options: regularOnly ? [.closeOnExec, .nonBlocking] : .closeOnExec)
      return try file.closeAfter {
        try check(try file.stat().type, regularOnly: regularOnly)
        return try fill(buffer, from: file)
      }
    } catch { throw ReadError(error) }
  }

  private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from file: FileDescriptor) throws -> Int {
    var count = 0
    while count < buffer.count {
      let received = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
      guard received > 0 else { break }
      count += received
    }
    return count
  }

  private static func check(_ type: FileType, regularOnly: Bool) throws(ReadError) {
    switch type {
    case .regular: return
    case .directory: throw .directory
    default: if regularOnly { throw .notRegular }
    }
  }
}

extension BoundedFile.ReadError {
  fileprivate init(_ error: any Error) {
    if let error = error as? BoundedFile.ReadError {
      self = error
      return
    }
    switch error as? Errno ?? .ioError {
    case .noSuchFileOrDirectory, .notDirectory: self = .missing
    case .permissionDenied, .notPermitted: self = .notPermitted
    case .isDirectory: self = .directory
    case let other: self = .failed(other)
    }
  }
}

extension BoundedFile {
  /// `path` as a message may show it when the file was to hold a secret. nil when the text may be the secret itself, given in place of its
  /// file's name: a key or a password has no slash, and a URL with an access key is no path.
  package static func displayName(ofSecret path: String) -> String? {
    path.contains("/") && !path.contains("://") ? path : nil
  }

  /// `path` as a message may show it when the file was to be a keystore. People name keystores without a directory too, so the message
  /// withholds only what looks like a key in hex or like the keystore's own text.
  package static func displayName(ofKeystore path: String) -> String {
    let isDigits = path.utf8.count >= 32 && path.allSatisfy { $0.isHexDigit || $0 == "x" }
    return isDigits || path.contains("{") ? "the path given" : path
  }
}
