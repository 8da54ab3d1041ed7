/// Why a stream or a connection ends (RFC 9113 section 7).
package struct HTTP2ErrorCode: Hashable, Sendable {
  package let rawValue: UInt32

  package init(_ rawValue: UInt32) { self.rawValue = rawValue }

  package static let noError = HTTP2ErrorCode(0x0)
  package static let protocolError = HTTP2ErrorCode(0x1)
  package static let internalError = HTTP2ErrorCode(0x2)
  package static let refusedStream = HTTP2ErrorCode(0x7)
  package static let cancel = HTTP2ErrorCode(0x8)
  package static let enhanceYourCalm = HTTP2ErrorCode(0xb)
  package static let inadequateSecurity = HTTP2ErrorCode(0xc)
}
