import NIOCore

/// What happens on an HTTP/2 connection, in the order it happens. Told while the session takes bytes or makes them, so what is
/// asked of the session meanwhile waits for its next turn.
protocol HTTP2SessionDelegate: AnyObject {
  /// SETTINGS of the peer have arrived.
  /// - Parameter maxConcurrentStreams: how many streams it takes at once; nil for any number.
  func settingsArrived(maxConcurrentStreams: Int?)
  /// A complete block of header fields.
  func received(_ headers: HeaderFields, endStream: Bool, on stream: StreamID)
  /// Content of a DATA frame, of which there may be more.
  func received(_ payload: ByteBuffer, endStream: Bool, on stream: StreamID)
  /// A PING of ours was answered.
  func pingAcknowledged(_ opaque: UInt64)
  /// GOAWAY has arrived.
  func peerIsLeaving(lastStream: StreamID, code: HTTP2ErrorCode)
  /// The header fields that begin a stream of ours are on their way.
  func streamOpened(_ stream: StreamID)
  /// The last frame of our side of a stream is on its way.
  func streamEnded(_ stream: StreamID)
  /// Header fields of ours could not be sent.
  func streamFailed(_ stream: StreamID)
  /// The stream has ended in both directions, or was reset.
  /// - Parameter fault: why it was reset; nil when it ended as it should.
  func streamClosed(_ stream: StreamID, fault: CallFault?)
}
