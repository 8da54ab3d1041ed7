import NIOCore
import NIOHTTP2
import NIOSSL

/// What a server and a client make of the frames and events of their connection, in the order they arrive.
///
/// Everything is called on the event loop of the connection.
protocol ConnectionRole: AnyObject {
  /// The channel is open.
  func opened(remoteAddress: SocketAddress?, localAddress: SocketAddress?)
  /// TLS is established; the protocol is what ALPN agreed on. False ends the connection.
  func secured(for negotiatedProtocol: String?, peerCertificate: NIOSSLCertificate?) -> Bool
  /// SETTINGS of the peer have arrived; the first complete the handshake.
  func settingsArrived(_ settings: HTTP2Settings)
  func receive(_ headers: HTTP2Frame.FramePayload.Headers, on stream: HTTP2StreamID)
  /// - Parameter padding: bytes of the frame that count towards flow control and carry nothing.
  func receive(_ payload: ByteBuffer, padding: Int, endStream: Bool, on stream: HTTP2StreamID)
  /// Our own side is shutting down; the connection goes on until its calls have ended.
  func shuttingDown()
  /// GOAWAY has arrived.
  /// - Parameter code: the error it names, if it is one.
  func peerIsLeaving(lastStream: HTTP2StreamID, code: HTTP2ErrorCode)
  /// The header fields that begin a stream, the peer's or ours, have been taken or written.
  func streamOpened(_ stream: HTTP2StreamID)
  /// The stream has ended in both directions, or was reset by either side because of a fault.
  func streamClosed(_ stream: HTTP2StreamID, fault: CallFault?)
  /// A frame of ours broke the rules, so it was not sent.
  func streamFailed(_ stream: HTTP2StreamID)
  /// The connection has gone; called once.
  func closed(by failure: (any Error)?)
}
