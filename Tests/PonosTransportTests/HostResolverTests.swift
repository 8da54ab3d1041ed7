import NIOCore
import NIOPosix
import Testing

@testable import PonosTransport

@Suite("Host names")
struct HostResolverTests {
  let loop = MultiThreadedEventLoopGroup.singleton.next()
  let asked = Counter()

  func resolver(lifetime: Duration) -> HostResolver {
    HostResolver(lifetime: lifetime) { [asked] _, port in
      asked.increment()
      return [try SocketAddress(ipAddress: "192.0.2.1", port: port)]
    }
  }

  @Test("an answer is remembered until it is said to be of no use; an address is not looked up")
  func answerIsRememberedUntilItIsSaidToBeOfNoUse() async throws {
    let resolver = resolver(lifetime: .seconds(3_600))
    for _ in 0..<3 {
      let found = try await resolver.addresses(host: "a.example", port: 5, on: loop).get()
      #expect(found == [try SocketAddress(ipAddress: "192.0.2.1", port: 5)])
    }
    #expect(asked.value == 1)
    resolver.forget()
    _ = try await resolver.addresses(host: "a.example", port: 5, on: loop).get()
    #expect(asked.value == 2)
    let address = try await resolver.addresses(host: "192.0.2.7", port: 5, on: loop).get()
    #expect(address == [try SocketAddress(ipAddress: "192.0.2.7", port: 5)] && asked.value == 2)
  }

  @Test("an answer is not remembered for longer than its time")
  func answerIsNotRememberedForLongerThanItsTime() async throws {
    let resolver = resolver(lifetime: .milliseconds(1))
    await eventually {
      _ = try? await resolver.addresses(host: "a.example", port: 5, on: loop).get()
      return asked.value >= 3
    }
  }
}
