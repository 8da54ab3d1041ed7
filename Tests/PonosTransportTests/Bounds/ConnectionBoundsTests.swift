import Foundation
import GRPCCore
import NIOCore
import NIOPosix
import Testing

@testable import PonosTransport

@Suite("Connections of strangers", .serialized)
struct ConnectionBoundsTests {
  /// Connections that say nothing; those that the server closes are counted.
  private final class Idlers: Sendable {
    let closed = Counter()
    private let group = MultiThreadedEventLoopGroup.singleton

    /// - Parameter source: address of this machine that they come from.
    func connect(_ count: Int, to port: Int, from source: String = "127.0.0.1") async throws -> [any Channel] {
      var channels: [any Channel] = []
      for _ in 0..<count {
        let bootstrap = ClientBootstrap(group: group).bind(to: try SocketAddress(ipAddress: source, port: 0))
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
        channel.closeFuture.whenComplete { _ in self.closed.increment() }
        channels.append(channel)
      }
      return channels
    }
  }

  private static func quota(connections: Int, perHost: Int) -> ResourceQuota {
    var limits = ResourceQuota.Limits()
    (limits.maxConnections, limits.maxConnectionsPerHost) = (connections, perHost)
    return ResourceQuota(limits)
  }

  @Test("445 idle connections of one host: it keeps what one host may have, and others get in, new ones of its own too")
  func test445IdleConnectionsOfOneHost() async throws {
    let quota = Self.quota(connections: 200, perHost: 50)
    var settings = ConnectionTests.tcp
    settings.quota = quota
    try await ConnectionTests.serve(settings) { _, client in
      let idlers = Idlers()
      let channels = try await idlers.connect(445, to: client.port, from: "127.0.0.2")
      await eventually("the crowd has more than it may") { quota.usage.connections <= 50 && idlers.closed.value >= 395 }
      #expect(quota.count(of: .connectionsPerHost) >= 395)
      try await ConnectionTests.connect(client) { try await EchoCases.stillWorks($0) }
      // The last to come is there.
      #expect(channels.last?.isActive == true)
      for channel in channels { try? await channel.close() }
      await eventually { quota.usage.connections == 0 }
    }
  }

  @Test("one ceiling for two listeners, at which the largest crowd makes room for newcomers")
  func oneCeilingForTwoListeners() async throws {
    let quota = Self.quota(connections: 12, perHost: 10)
    var settings = ConnectionTests.tcp
    settings.quota = quota
    let shared = settings
    try await ConnectionTests.serve(shared) { _, first in
      try await ConnectionTests.serve(shared) { _, second in
        let (idlers, descriptors) = (Idlers(), openDescriptors())
        var channels: [any Channel] = []
        for (source, port) in [("127.0.0.2", first.port), ("127.0.0.3", second.port), ("127.0.0.4", first.port)] {
          channels += try await idlers.connect(10, to: port, from: source)
        }
        await eventually { idlers.closed.value >= 18 && quota.usage.connections <= 12 }
        // Each that is left has a socket on either side.
        await eventually { openDescriptors() <= descriptors + 24 }
        for client in [first, second] {
          try await ConnectionTests.connect(client) { try await EchoCases.stillWorks($0) }
        }
        #expect(quota.count(of: .connections) > 0)
        for channel in channels { try? await channel.close() }
      }
    }
  }

  @Test("a listener at its ceiling neither dies nor spins, and takes connections again when there is room")
  func listenerAtItsCeilingNeitherDiesNorSpins() async throws {
    let quota = Self.quota(connections: 2, perHost: 2)
    var settings = ConnectionTests.tcp
    settings.quota = quota
    let service = EchoService()
    try await ConnectionTests.serve(settings, service: service) { _, client in
      try await ConnectionTests.connect(client) { first in
        try await ConnectionTests.connect(client) { second in
          async let busy = first.unary([1], method: Echo.ignore)
          async let busyToo = second.unary([1], method: Echo.ignore)
          await eventually { service.release.waiting == 2 }
          let idlers = Idlers()
          _ = try await idlers.connect(100, to: client.port)
          await eventually { idlers.closed.value == 100 }
          #expect(quota.count(of: .connectionsPerHost) == 100 && quota.usage.connections == 2)
          service.release.open()
          _ = try await (busy, busyToo)
        }
      }
      try await ConnectionTests.connect(client) { try await EchoCases.stillWorks($0) }
    }
  }

  @Test("a TLS connection that makes room is closed at once, without its peer's consent")
  func tlsConnectionThatMakesRoomIsClosedAtOnce() async throws {
    let quota = Self.quota(connections: 100, perHost: 1)
    var settings = ConnectionTests.tcp
    settings.quota = quota
    settings.security = try TestCertificates.shared().serverTLS()
    try await ConnectionTests.serve(settings) { _, client in
      var secured = client
      secured.security = try TestCertificates.shared().clientTLS()
      let idlers = Idlers()
      let channels = try await idlers.connect(2, to: client.port)
      await eventually { idlers.closed.value == 1 }
      try await ConnectionTests.connect(secured) { try await EchoCases.stillWorks($0) }
      await eventually { idlers.closed.value == 2 }
      _ = channels
    }
  }

  @Test("handlers and interceptors know where a call comes from")
  func handlersAndInterceptorsKnowWhereCallComesFrom() async throws {
    try await ConnectionTests.serve(ConnectionTests.tcp) { _, client in
      try await ConnectionTests.connect(client) { calls in
        let answer = try await calls.unary([], method: Echo.origin)
        #expect(String(decoding: answer.bytes, as: UTF8.self) == "127.0.0.1 true")
      }
    }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("ponos-\(UUID().uuidString.prefix(8)).sock").path
    try await ConnectionTests.serve(ServerTransportSettings(unixSocket: path)) { _, client in
      try await ConnectionTests.connect(client) { calls in
        let answer = try await calls.unary([], method: Echo.origin)
        #expect(String(decoding: answer.bytes, as: UTF8.self) == "unix true")
      }
    }
  }

  @Test(
    "peers are counted by their address, or the first half of it",
    arguments: [
      ("127.0.0.1", "127.0.0.1", true), ("127.255.3.4", "127.255.3.4", true), ("172.17.0.2", "172.17.0.2", false),
      ("::1", "0:0:0:0::/64", true), ("::ffff:127.0.0.1", "127.0.0.1", true), ("::ffff:10.1.2.3", "10.1.2.3", false),
      ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", false), ("2001:db8:1:2::9", "2001:db8:1:2::/64", false),
    ])
  func peersAreCountedByTheirAddress(address: String, host: String, isLocal: Bool) throws {
    let peer = PeerAddress(try SocketAddress(ipAddress: address, port: 1))
    #expect(peer.host.description == host)
    #expect(peer.isLocal == isLocal)
  }
}
