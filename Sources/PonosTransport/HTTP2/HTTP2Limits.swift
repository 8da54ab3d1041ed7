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
}
