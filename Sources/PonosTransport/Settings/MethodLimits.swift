/// Bounds of one method, or of all methods of a service, where they differ from those of their listener.
package struct MethodLimits: Hashable, Sendable {
  /// Largest request message, in bytes; nil for that of the listener.
  package var maxRequestBytes: Int?
  /// Whether requests may be compressed; responses are not, either, where they may not.
  package var acceptsCompression: Bool
  /// Calls that may be open at a time on one connection; nil for any number. For calls that go on for long.
  package var maxCallsPerConnection: Int?

  package init(maxRequestBytes: Int? = nil, acceptsCompression: Bool = true, maxCallsPerConnection: Int? = nil) {
    self.maxRequestBytes = maxRequestBytes
    self.acceptsCompression = acceptsCompression
    self.maxCallsPerConnection = maxCallsPerConnection
  }

  /// Requests of 64 KiB at most, and no compression: for services whose requests are small by nature.
  package static let small = MethodLimits(maxRequestBytes: 64 << 10, acceptsCompression: false)
}
