import Foundation
import GRPCCore
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import PonosTransport

/// What our transport does beyond the conformance of calls: addresses, TLS, shutdown, reconnection.
@Suite("Connections", .serialized)
struct ConnectionTests {
  /// Serves ``EchoService`` while `body` runs; `body` gets the settings of a client of it.
  static func serve(
    _ settings: ServerTransportSettings, service: EchoService = EchoService(),
    on group: MultiThreadedEventLoopGroup = .singletonMultiThreadedEventLoopGroup,
    _ body: @escaping @Sendable (GRPCServer<EventLoopServerTransport>, ClientTransportSettings) async throws -> Void
  ) async throws {
    let transport = EventLoopServerTransport(settings, group: group)
    try await inTime(.seconds(60)) {
      try await withGRPCServer(transport: transport, services: [service]) { server in
        switch settings.address {
        case .tcp: try await body(server, ClientTransportSettings(host: "127.0.0.1", port: try await transport.boundPort()))
        case .unix(let path):
          _ = try await transport.listeningAddress
          try await body(server, ClientTransportSettings(unixSocket: path))
        }
      }
    }
  }

  static func connect(
    _ settings: ClientTransportSettings, _ body: @escaping @Sendable (any EchoCalls) async throws -> Void
  ) async throws {
    try await withGRPCClient(transport: EventLoopClientTransport(settings)) { try await body(EchoClient(client: $0)) }
  }

  static var tcp: ServerTransportSettings { ServerTransportSettings(host: "127.0.0.1", port: 0) }

  @Test("unix sockets")
  func unixSockets() async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("ponos-\(UUID().uuidString.prefix(8)).sock").path
    try await Self.serve(ServerTransportSettings(unixSocket: path)) { _, settings in
      try await Self.connect(settings) { try await EchoCases.stillWorks($0) }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("several listeners on one port, several connections, a name instead of an address")
  func severalListenersOnOnePort() async throws {
    var settings = Self.tcp
    settings.listeners = 2
    try await Self.serve(settings) { _, client in
      var client = client
      client.host = "localhost"
      client.connections = 4
      try await Self.connect(client) { try await EchoCases.concurrency($0) }
    }
  }

  @Test("several listeners share the port and the work")
  func severalListenersSharePortAndWork() async throws {
    var settings = Self.tcp
    settings.listeners = 2
    let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    try await Self.serve(settings, on: loops) { _, client in
      var client = client
      client.connections = 24
      try await Self.connect(client) { calls in
        let threads = Mutex<Set<[UInt8]>>([])
        // Each connection takes its turn, and the system spreads them by their ports.
        await eventually {
          guard let caller = try? await calls.who() else { return false }
          return threads.withLock { $0.insert(caller.thread).inserted && $0.count == 2 }
        }
      }
    }
    try await loops.shutdownGracefully()
  }

  @Test("a client that closes lets its calls end and begins no others")
  func clientThatClosesLetsItsCallsEndAndBeginsNoOthers() async throws {
    let service = EchoService()
    try await Self.serve(Self.tcp, service: service) { _, client in
      try await Self.connect(client) { calls in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            let answer = try await calls.unary([1], method: Echo.ignore)
            #expect(answer.bytes == [7])
          }
          await eventually { service.release.waiting == 1 }
          calls.beginGracefulShutdown()
          await #expect(throws: (any Error).self) { try await calls.unary([1]) }
          service.release.open()
          try await group.waitForAll()
        }
      }
    }
  }

  @Test("a server that falls silent during a call makes it unavailable, and is connected to again")
  func serverThatFallsSilentDuringCallMakes() async throws {
    let silent = try await SilentServer()
    var settings = ClientTransportSettings(host: "127.0.0.1", port: silent.port)
    settings.keepaliveInterval = .milliseconds(200)
    settings.keepaliveTimeout = .milliseconds(200)
    settings.initialBackoff = .milliseconds(20)
    let client = settings
    try await inTime {
      try await Self.connect(client) { calls in
        let error = await #expect(throws: RPCError.self) { try await calls.unary([1]) }
        #expect(error?.code == .unavailable)
        await eventually { silent.accepted.value == 2 }
      }
    }
    try await silent.close()
  }

  @Test("handlers off the event loop behave the same")
  func handlersOffEventLoopBehaveTheSame() async throws {
    var settings = Self.tcp
    settings.runsHandlersOnEventLoop = false
    try await Self.serve(settings) { _, client in
      try await Self.connect(client) { calls in
        try await EchoCases.unary(calls)
        try await EchoCases.pingPong(calls)
        try await EchoCases.statuses(calls)
      }
    }
  }

  @Test("TLS: a client is believed by its certificate, or not let in")
  func tlsClientIsBelievedByItsCertificate() async throws {
    let certificates = try TestCertificates()
    defer { certificates.remove() }
    var settings = Self.tcp
    settings.security = try certificates.serverTLS()
    try await Self.serve(settings) { _, client in
      var trusted = client
      trusted.security = try certificates.clientTLS()
      try await Self.connect(trusted) { try await EchoCases.stillWorks($0) }
      for security in [try certificates.clientTLS(proving: false), nil] {
        var stranger = client
        stranger.security = security
        try await Self.connect(stranger) { calls in
          let error = await #expect(throws: RPCError.self) { try await calls.unary([1]) }
          #expect(error?.code == .unavailable)
        }
      }
    }
  }

  @Test("certificates are exchanged while the server runs; a bad exchange changes nothing")
  func certificatesAreExchangedWhileServerRuns() async throws {
    let (old, new) = (try TestCertificates(), try TestCertificates())
    defer {
      old.remove()
      new.remove()
    }
    let security = try old.serverTLS()
    var settings = Self.tcp
    settings.security = security
    try await Self.serve(settings) { _, client in
      var believer = client
      believer.security = try new.clientTLS()
      let distrustful = believer
      try await Self.connect(distrustful) { calls in
        await #expect(throws: RPCError.self) { try await calls.unary([1]) }
      }
      #expect(throws: (any Error).self) {
        try security.reload(.init(certificateChain: .file("/nowhere"), privateKey: .file("/nowhere")))
      }
      try security.reload(new.sources())
      try await Self.connect(distrustful) { try await EchoCases.stillWorks($0) }
    }
  }

  @Test("a shutdown lets open calls end and takes no new ones", arguments: 0..<Repetitions.count, [false, true])
  func shutdownLetsOpenCallsEndAndTakesNoNewOnes(_: Int, overTLS: Bool) async throws {
    let certificates = try TestCertificates.shared()
    let service = EchoService()
    var listener = Self.tcp
    if overTLS { listener.security = try certificates.serverTLS() }
    try await Self.serve(listener, service: service) { server, settings in
      var settings = settings
      if overTLS { settings.security = try certificates.clientTLS() }
      try await Self.connect(settings) { calls in
        try await EchoCases.stillWorks(calls)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            let answer = try await calls.unary([1], method: Echo.ignore)
            #expect(answer.bytes == [7])
          }
          // The call is open once the service has it, which ``Echo/ignore`` shows by waiting.
          await eventually { service.release.waiting == 1 }
          server.beginGracefulShutdown()
          await eventually {
            do { _ = try await calls.unary([1]) } catch { return true }
            return false
          }
          service.release.open()
          try await group.waitForAll()
        }
      }
    }
  }

  @Test("a shutdown is told to handlers of endless calls, which can end then")
  func shutdownOfEndlessCalls() async throws {
    let service = EchoService()
    try await Self.serve(Self.tcp, service: service) { server, settings in
      try await Self.connect(settings) { calls in
        await withTaskGroup(of: Void.self) { group in
          group.addTask {
            let error = await #expect(throws: RPCError.self) { try await calls.unary([1], method: Echo.hang) }
            #expect(error?.code == .cancelled)
          }
          await eventually { service.hanging.value == 1 }
          server.beginGracefulShutdown()
        }
      }
    }
  }

  @Test("connections that are replaced all the time lose no call, and one with an endless call does not stop the others")
  func connectionsThatAreReplacedAllTimeLoseNoCall() async throws {
    var settings = Self.tcp
    settings.maxAge = .milliseconds(50)
    let service = EchoService()
    try await Self.serve(settings, service: service) { server, client in
      var client = client
      client.connections = 2
      client.maxBackoff = .milliseconds(20)
      client.initialBackoff = .milliseconds(1)
      try await Self.connect(client) { calls in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            let answer = try await calls.unary([1], method: Echo.ignore)
            #expect(answer.bytes == [7])
          }
          let deadline = ContinuousClock.now + .seconds(2)
          var made = 0
          while ContinuousClock.now < deadline {
            try await EchoCases.stillWorks(calls)
            made += 1
          }
          #expect(made > 20)
          service.release.open()
          try await group.waitForAll()
        }
      }
    }
  }

  @Test("a server that replaces its connections in order is come back to without ever longer pauses")
  func serverThatReplacesItsConnectionsInOrderIsCome() async throws {
    var settings = Self.tcp
    settings.maxAge = .milliseconds(20)
    try await Self.serve(settings) { _, client in
      var client = client
      client.initialBackoff = .milliseconds(200)
      try await Self.connect(client) { calls in
        var options = CallOptions.defaults
        options.waitForReady = true
        let (start, slowest) = (ContinuousClock.now, Recorder())
        while start.duration(to: .now) < .milliseconds(2_500) {
          let begun = ContinuousClock.now
          _ = try await calls.unary([1], options: options)
          slowest.add(begun.duration(to: .now))
        }
        // With pauses that grow, the fifth would have taken longer than a second.
        #expect((slowest.take().max() ?? .zero) < .seconds(1))
      }
    }
  }

  @Test("a process without a file to spare does not try to accept all the time, and goes on when there is one")
  func processWithoutFileToSpareDoesNotTryToAccept() async throws {
    try await Self.serve(Self.tcp) { _, client in
      let used = try OpenFiles.withoutAny { try OpenFiles.connectAndWait(port: client.port, milliseconds: 400) }
      #expect(used < .milliseconds(200))
      try await Self.connect(client) { calls in
        var options = CallOptions.defaults
        options.waitForReady = true
        let answer = try await calls.unary([1], options: options)
        #expect(answer.bytes == [1])
      }
    }
  }

  @Test("calls that meet the end of their server fail as unavailable, at whatever moment", arguments: 0..<20)
  func callsThatMeetEndOfTheirServerFailAsUnavailable(round: Int) async throws {
    try await Self.serve(Self.tcp) { server, client in
      try await Self.connect(client) { calls in
        try await withThrowingTaskGroup(of: RPCError.Code.self) { group in
          for _ in 0..<16 {
            group.addTask {
              do {
                while true { _ = try await calls.unary([1]) }
              } catch let error as RPCError { return error.code }
            }
          }
          for _ in 0..<round { _ = try await calls.unary([1]) }
          server.beginGracefulShutdown()
          for try await code in group { #expect(code == .unavailable) }
        }
      }
    }
  }

  @Test("connections beyond the limit are closed, and there is room again when others have gone")
  func connectionsBeyondLimitAreClosed() async throws {
    var (settings, limits) = (Self.tcp, ResourceQuota.Limits())
    limits.maxConnections = 1
    settings.quota = ResourceQuota(limits)
    let service = EchoService()
    try await Self.serve(settings, service: service) { _, client in
      try await Self.connect(client) { first in
        async let busy = first.unary([1], method: Echo.ignore)
        await eventually { service.release.waiting == 1 }
        try await Self.connect(client) { second in
          let error = await #expect(throws: RPCError.self) { try await second.unary([1]) }
          #expect(error?.code == .unavailable)
        }
        service.release.open()
        _ = try await busy
      }
      try await Self.connect(client) { third in
        var options = CallOptions.defaults
        options.waitForReady = true
        let answer = try await third.unary([3], options: options)
        #expect(answer.bytes == [3])
      }
    }
  }

  @Test(
    "a server that restarts is found again; calls that wait for it succeed, others fail at once",
    arguments: 0..<Repetitions.count)
  func serverThatRestartsIsFoundAgain(_: Int) async throws {
    let port = try await Self.freePort()
    var settings = ClientTransportSettings(host: "127.0.0.1", port: port)
    settings.initialBackoff = .milliseconds(50)
    settings.maxBackoff = .milliseconds(200)
    try await Self.connect(settings) { calls in
      let error = await #expect(throws: RPCError.self) { try await calls.unary([1]) }
      #expect(error?.code == .unavailable)
      for _ in 0..<2 {
        var options = CallOptions.defaults
        options.waitForReady = true
        let patient = options
        async let waiting = calls.unary([3], options: patient)
        try await Self.serve(ServerTransportSettings(host: "127.0.0.1", port: port)) { _, _ in
          await eventually {
            do { return try await calls.unary([4]).bytes == [4] } catch { return false }
          }
        }
        let answer = try await waiting
        #expect(answer.bytes == [3])
      }
    }
  }

  @Test("a client that was idle for long connects again when it is needed")
  func clientThatWasIdleForLongConnectsAgain() async throws {
    try await Self.serve(Self.tcp) { _, settings in
      var settings = settings
      settings.maxIdleTime = .milliseconds(100)
      let lazy = settings
      try await Self.connect(lazy) { calls in
        for _ in 0..<3 {
          try await EchoCases.stillWorks(calls)
          try await Task.sleep(for: .milliseconds(300))
        }
      }
    }
  }

  @Test("more calls than a connection carries get more connections, and are all open at once")
  func moreCallsThanConnectionCarriesGetMoreConnections() async throws {
    var settings = Self.tcp
    settings.http2.maxConcurrentStreams = 32
    let service = EchoService()
    try await Self.serve(settings, service: service) { _, client in
      try await Self.connect(client) { calls in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<200 {
            group.addTask {
              let answer = try await calls.unary([1], method: Echo.ignore)
              #expect(answer.bytes == [7])
            }
          }
          await eventually { service.release.waiting == 200 }
          // Connections are never a reason to keep a short call waiting.
          try await EchoCases.stillWorks(calls)
          service.release.open()
          try await group.waitForAll()
        }
      }
    }
  }

  @Test("calls beyond all connections wait for one that ends, for as long as their deadlines let them")
  func callsBeyondAllConnectionsWaitForOneThatEnds() async throws {
    var settings = Self.tcp
    settings.http2.maxConcurrentStreams = 8
    let service = EchoService()
    try await Self.serve(settings, service: service) { _, client in
      var client = client
      client.maxConnections = 2
      try await Self.connect(client) { calls in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<40 {
            group.addTask {
              let answer = try await calls.unary([1], method: Echo.ignore)
              #expect(answer.bytes == [7])
            }
          }
          await eventually { service.release.waiting == 16 }
          var options = CallOptions.defaults
          options.timeout = .milliseconds(200)
          let error = await #expect(throws: RPCError.self) { try await calls.unary([1], options: options) }
          #expect(error?.code == .deadlineExceeded)
          try await Self.endsAtDeadline(calls, waitsForReady: false)
          try await Self.endsAtDeadline(calls, waitsForReady: true)
          #expect(service.release.waiting == 16)
          service.release.open()
          try await group.waitForAll()
        }
        try await EchoCases.concurrency(calls, count: 50)
      }
    }
  }

  /// A call that waits for a connection ends when its deadline has passed, and no earlier.
  static func endsAtDeadline(_ calls: any EchoCalls, waitsForReady: Bool) async throws {
    var options = CallOptions.defaults
    options.waitForReady = waitsForReady
    let (start, timeout) = (ContinuousClock.now, Duration.milliseconds(200))
    let error = await #expect(throws: RPCError.self) {
      try await CallDeadline.after(timeout) { try await calls.unary([1], options: options) }
    }
    #expect(error?.code == .deadlineExceeded)
    let elapsed = ContinuousClock.now - start
    #expect(elapsed >= timeout && elapsed < .seconds(5))
  }

  @Test("a deadline also ends calls that have no connection yet")
  func deadlineAlsoEndsCallsThatHaveNoConnectionYet() async throws {
    let mute = try await SilentServer(greets: false)
    let client = ClientTransportSettings(host: "127.0.0.1", port: mute.port)
    try await inTime {
      try await Self.connect(client) { calls in
        try await Self.endsAtDeadline(calls, waitsForReady: false)
        try await Self.endsAtDeadline(calls, waitsForReady: true)
        // One that has passed already.
        let error = await #expect(throws: RPCError.self) {
          try await CallDeadline.after(.zero) { try await calls.unary([1]) }
        }
        #expect(error?.code == .deadlineExceeded)
      }
    }
    try await mute.close()
  }

  @Test("a port that is taken is an error, for the server and for who waits for its port")
  func portThatIsTakenIsError() async throws {
    try await Self.serve(Self.tcp) { _, settings in
      let second = EventLoopServerTransport(ServerTransportSettings(host: "127.0.0.1", port: settings.port))
      let server = GRPCServer(transport: second, services: [])
      await #expect(throws: (any Error).self) { try await server.serve() }
      await #expect(throws: (any Error).self) { try await second.boundPort() }
    }
  }

  static func freePort() async throws -> Int {
    let transport = EventLoopServerTransport(Self.tcp)
    return try await withGRPCServer(transport: transport, services: []) { _ in try await transport.boundPort() }
  }
}
