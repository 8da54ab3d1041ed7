import FoundationEssentials
import NIOCore

#if canImport(Glibc)
  import Glibc
#endif

/// The bytes of a file, piece by piece, as the body of a request.
struct FileChunks: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  /// Bytes of a piece.
  private static let size = 1 << 20

  let path: String
  /// Bytes of the file when it was looked at.
  let length: Int64

  /// Throws `badRequest` when the file is not there.
  init(path: String) throws(DockerError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw DockerError(.badRequest, "The file \(path) cannot be read", cause: String(cString: strerror(errno)))
    }
    self.path = path
    length = Int64(status.st_size)
  }

  func makeAsyncIterator() -> Iterator { Iterator(file: fopen(path, "rb")) }

  /// Reads ahead of nothing: the page cache does.
  final class Iterator: AsyncIteratorProtocol {
    private let file: UnsafeMutablePointer<FILE>?

    init(file: UnsafeMutablePointer<FILE>?) { self.file = file }

    deinit { if let file { fclose(file) } }

    func next() async throws -> ByteBuffer? {
      guard let file else { throw DockerError(.badRequest, "The file to be sent cannot be opened") }
      var chunk = ByteBuffer()
      let count = chunk.writeWithUnsafeMutableBytes(minimumWritableBytes: FileChunks.size) {
        fread($0.baseAddress, 1, FileChunks.size, file)
      }
      if count == 0, ferror(file) != 0 { throw DockerError(.badRequest, "The file to be sent cannot be read") }
      return count == 0 ? nil : chunk
    }
  }
}
