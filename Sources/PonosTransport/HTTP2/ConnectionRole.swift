import NIOCore
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
  /// - Parameter maxConcurrentStreams: how many calls it takes at once; nil for any number.
  func settingsArrived(maxConcurrentStreams: Int?)
  func receive(_ headers: HeaderFields, endStream: Bool, on stream: StreamID)
  func receive(_ payload: ByteBuffer, endStream: Bool, on stream: StreamID)
  /// Our own side is shutting down; the connection goes on until its calls have ended.
  func shuttingDown()
  /// GOAWAY has arrived.
  /// - Parameter code: the error it names, if it is one.
  func peerIsLeaving(lastStream: StreamID, code: HTTP2ErrorCode)
  /// The header fields that begin a stream of ours are on their way.
  func streamOpened(_ stream: StreamID)
  /// The last frame of our side of a stream is on its way.
  func streamEnded(_ stream: StreamID)
  /// The stream has ended in both directions, or was reset by either side because of a fault.
  func streamClosed(_ stream: StreamID, fault: CallFault?)
  /// Header fields of ours could not be sent.
  func streamFailed(_ stream: StreamID)
  /// The process holds too much: the calls that wait in this way are to end.
  func shed(_ kind: BufferKind)
  /// The connection has gone; called once.
  func closed(by failure: (any Error)?)
}
