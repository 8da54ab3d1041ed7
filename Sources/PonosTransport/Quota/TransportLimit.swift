/// A bound that the transport keeps against its peers; the raw value is a stable name for metrics and logs.
package enum TransportLimit: String, CaseIterable, Hashable, Sendable {
  /// Bytes of messages that the process has received and nobody has read.
  case receivedBytes = "received_bytes"
  /// Bytes of messages that the process has not yet written to its sockets.
  case unsentBytes = "unsent_bytes"
  /// Bytes of messages that one connection has received and nobody has read.
  case connectionReceivedBytes = "connection_received_bytes"
  /// Bytes of messages that have not yet been written to the socket of one connection.
  case connectionUnsentBytes = "connection_unsent_bytes"
  /// Time in which a request, or a message of a stream, has to be complete.
  case requestTime = "request_time"
  /// Time for which a response may stand still.
  case responseTime = "response_time"
  /// Size of one message.
  case messageSize = "message_size"
  /// Compression, where it is switched off.
  case compression = "compression"
  /// How much larger than its compressed form a message may be.
  case compressionRatio = "compression_ratio"
  /// Calls of one method on one connection.
  case callsOfMethod = "calls_of_method"
  /// Connections of the process.
  case connections = "connections"
  /// Connections of one host.
  case connectionsPerHost = "connections_per_host"
}
