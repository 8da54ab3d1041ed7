package import NIOCore

/// Where a connection comes from.
package enum PeerAddress: Hashable, Sendable {
  /// An address of IPv4, also of a peer that reached an IPv6 socket (`::ffff:192.0.2.1`).
  case ipv4(UInt32)
  /// An address of IPv6, as its first and its last eight bytes.
  case ipv6(high: UInt64, low: UInt64)
  /// A unix socket, which only processes of this machine can reach.
  case unixSocket
  /// The peer had gone before the system was asked.
  case unknown

  /// - Parameter address: the remote address of a channel.
  package init(_ address: SocketAddress?) {
    switch address {
    // The addresses lie behind family and port, and with IPv6 behind the flow information as well (ip(7), ipv6(7)).
    case .v4(let ipv4): self = withUnsafeBytes(of: ipv4.address) { .ipv4(Self.integer($0, at: 4)) }
    case .v6(let ipv6):
      self = withUnsafeBytes(of: ipv6.address) { Self.unmapped(high: Self.integer($0, at: 8), low: Self.integer($0, at: 16)) }
    case .unixDomainSocket: self = .unixSocket
    case nil: self = .unknown
    }
  }

  private static func unmapped(high: UInt64, low: UInt64) -> PeerAddress {
    // RFC 4291 section 2.5.5.2.
    high == 0 && low >> 32 == 0xffff ? .ipv4(UInt32(truncatingIfNeeded: low)) : .ipv6(high: high, low: low)
  }

  private static func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) -> Integer {
    Integer(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self))
  }

  /// Whether the peer is on this machine and outside of containers: 127.0.0.0/8, `::1`, or a unix socket. A container on a bridge has
  /// an address of its own and is not.
  package var isLocal: Bool {
    switch self {
    case .ipv4(let address): address >> 24 == 127
    case .ipv6(let high, let low): high == 0 && low == 1
    case .unixSocket: true
    case .unknown: false
    }
  }

  /// The unit by which peers are counted.
  package var host: PeerHost {
    switch self {
    case .ipv4(let address): .ipv4(address)
    case .ipv6(let high, _): .ipv6Network(high)
    case .unixSocket: .unixSocket
    case .unknown: .unknown
    }
  }
}

/// The unit by which the transport counts peers: an address of IPv4, a network of IPv6 with 64 bits, which one host commonly has to
/// itself, or all users of unix sockets.
package enum PeerHost: Hashable, Sendable, CustomStringConvertible {
  case ipv4(UInt32)
  /// The first 64 bits of the address.
  case ipv6Network(UInt64)
  case unixSocket
  case unknown

  package var description: String {
    switch self {
    case .ipv4(let address):
      (0..<4).map { String(address >> (24 - 8 * UInt32($0)) & 0xff) }.joined(separator: ".")
    case .ipv6Network(let network):
      (0..<4).map { String(network >> (48 - 16 * UInt64($0)) & 0xffff, radix: 16) }.joined(separator: ":") + "::/64"
    case .unixSocket: "unix"
    case .unknown: "unknown"
    }
  }
}
