import AsyncHTTPClient
import NIOCore

/// Reads bodies of performers' responses, as far as a limit allows.
enum HTTPBody {
  /// Bytes read of what a performer says of an error.
  private static let maxMessageBytes = 1024

  /// At most `limit` bytes of a body, and whether that is all of it. The rest of a longer body is never read, and its connection
  /// is not used again.
  static func beginning(
    of body: HTTPClientResponse.Body, limit: Int
  ) async throws -> (bytes: ByteBuffer, isComplete: Bool) {
    var bytes = ByteBuffer()
    for try await chunk in body {
      guard bytes.readableBytes + chunk.readableBytes <= limit else {
        bytes.writeBytes(chunk.readableBytesView.prefix(limit - bytes.readableBytes))
        return (bytes, false)
      }
      bytes.writeImmutableBuffer(chunk)
    }
    return (bytes, true)
  }

  /// The first 1,024 bytes of a body as one line of text.
  static func text(of body: HTTPClientResponse.Body) async throws -> String {
    let (bytes, _) = try await beginning(of: body, limit: maxMessageBytes)
    return String(buffer: bytes).split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
