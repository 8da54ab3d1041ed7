package import GRPCCore

/// A method that a server has, with its bounds.
package struct ServedMethod: Sendable {
  package var descriptor: MethodDescriptor
  /// Largest request message, in bytes.
  package var maxRequestBytes: Int
  /// Whether requests may be compressed.
  package var acceptsCompression: Bool
  /// Calls that may be open at a time on one connection; nil for any number.
  package var maxCallsPerConnection: Int?

  package init(
    _ descriptor: MethodDescriptor, maxRequestBytes: Int = .max, acceptsCompression: Bool = true,
    maxCallsPerConnection: Int? = nil
  ) {
    self.descriptor = descriptor
    self.maxRequestBytes = maxRequestBytes
    self.acceptsCompression = acceptsCompression
    self.maxCallsPerConnection = maxCallsPerConnection
  }

  /// Whether a request is one message, and complete when that is. A method of which that is not known may have a stream of them.
  package var hasSingleRequest: Bool { descriptor.type.map { !$0.isRequestStreaming } ?? false }
}
