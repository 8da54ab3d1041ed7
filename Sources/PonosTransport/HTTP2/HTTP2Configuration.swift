import NIOCore
import NIOHPACK
import NIOHTTP2

/// Sizes and counts of an HTTP/2 connection, the same in both roles.
package struct HTTP2Limits: Sendable {
  /// Receive window of each call and of the connection, in bytes; 65,535 to 2^31 − 1.
  package var windowSize = 1 << 20
  /// Largest payload of a frame the peer may send, in bytes; 16,384 to 2^24 − 1.
  package var maxFrameSize = 1 << 14
  /// Largest header block accepted, uncompressed, in bytes.
  package var maxHeaderListSize = 16 << 10
  /// Calls a client may have open on one connection. Handlers of calls that it reset count on until they return, up to twice
  /// this number; more calls are refused until then.
  package var maxConcurrentStreams = 256
  /// Streams the peer may reset within a second before it counts as an attack ("rapid reset"). A client whose calls all run into
  /// their deadlines resets as many streams as it has calls, again and again.
  package var maxResetsPerSecond = 1_024
  /// Bytes of unread and incomplete messages one connection may hold; see ``ConnectionReceiveBudget``.
  package var maxHeldBytes = 32 << 20

  package init() {}

  /// The largest payload of a frame or header block that is not refused.
  var maxPayload: Int { max(maxFrameSize, maxHeaderListSize) }

  /// How many streams the peer may reset, for ``PingGuard``.
  var resets: RateBudget { RateBudget(burst: maxResetsPerSecond, perSecond: maxResetsPerSecond) }

  /// These limits in the terms of swift-nio-http2. Empty DATA frames and CONTINUATION frames keep that library's own limits: 1 in a
  /// row and 5 for a header block.
  func makeHandler(mode: NIOHTTP2Handler.ParserMode, watcher: FrameWatcher) -> NIOHTTP2Handler {
    var settings: HTTP2Settings = [
      HTTP2Setting(parameter: .initialWindowSize, value: windowSize),
      HTTP2Setting(parameter: .maxFrameSize, value: maxFrameSize),
      HTTP2Setting(parameter: .maxHeaderListSize, value: maxHeaderListSize),
    ]
    switch mode {
    case .server: settings.append(HTTP2Setting(parameter: .maxConcurrentStreams, value: maxConcurrentStreams))
    case .client: settings.append(HTTP2Setting(parameter: .enablePush, value: 0))
    }
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    // A client sends fields that are valid by construction, and judges those it gets by what it looks for in them.
    if mode == .client { connection.headerBlockValidation = .disabled }
    connection.initialSettings = settings
    // A response may be of any length; gRPC does not use the header.
    connection.contentLengthValidation = .disabled
    // Frames already on their way when a stream is reset are no error; remember as many streams as can be open (less one, which
    // halves the ring buffer).
    connection.maximumRecentlyResetStreams = max(1, maxConcurrentStreams - 1)
    // Counted from the beginning of a connection, which may last for months; the same errors have a limit by rate.
    connection.maximumConnectionGlitches = .max
    // Counted by PingGuard; here each is forgotten at once, those of the same instant too.
    connection.controlFrameRateLimit.maximumCount = 2
    connection.controlFrameRateLimit.windowLength = .nanoseconds(-1)
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.streamResetFrameRateLimit.maximumCount = 2
    stream.streamResetFrameRateLimit.windowLength = .nanoseconds(-1)
    // The times of so many are kept in each connection; as many a second over a longer time would take more memory.
    stream.streamErrorRateLimit.maximumCount = 64
    stream.streamErrorRateLimit.windowLength = .seconds(10)
    return NIOHTTP2Handler(
      mode: mode, frameDelegate: watcher, connectionConfiguration: connection, streamConfiguration: stream)
  }
}

/// Notices when swift-nio-http2 gives a connection or a stream up.
///
/// The library reports errors of one stream and errors of the whole connection alike; only for the latter it sends GOAWAY
/// with an error code, which it does before it reports. It also reports alike whether the peer or itself has reset a stream.
final class FrameWatcher: NIOHTTP2FrameDelegate {
  private(set) var connectionFailed = false
  private var lastReset = HTTP2StreamID.rootStream

  func wroteFrame(_ frame: HTTP2Frame) {
    switch frame.payload {
    case .goAway(_, let code, _): connectionFailed = connectionFailed || code != .noError
    case .rstStream: lastReset = frame.streamID
    default: return
    }
  }

  /// Why a stream was reset; nil for one that ended as it should.
  func fault(of closed: StreamClosedEvent) -> CallFault? {
    guard let code = closed.reason else { return nil }
    return closed.streamID == lastReset ? StatusMapping.fault(forOwnReset: code) : StatusMapping.fault(forReset: code)
  }
}
