import GRPCCore
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import PonosTransport

#if PONOS_SANITIZE_THREAD
  import PonosTransport
#endif

@Suite("Parts that wait to be read")
struct CallInboundTests {
  /// A call whose odd numbers are packed.
  private final class Owner: CallInboundOwner {
    let eventLoop: any EventLoop
    let placesUnpacked = Mutex<[Bool]>([])

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func didRead(_ weight: MessageWeight) {}
    static func isPacked(_ part: Int) -> Bool { part % 2 == 1 }
    func isLarge(_ part: Int) -> Bool { part > 100 }

    func unpack(_ part: Int) throws(RPCError) -> Int {
      let isOnLoop = eventLoop.inEventLoop
      placesUnpacked.withLock { $0.append(isOnLoop) }
      return part * 100
    }
  }

  @Test("a reader on the event loop unpacks small messages there, and large ones elsewhere")
  func unpackingOnEventLoop() async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let owner = Owner(loop)
    let inbound = CallInbound<Owner>(eventLoop: loop)
    try await loop.submit {
      inbound.attach(owner)
      inbound.deliver(1)
      inbound.deliver(101)
    }.get()
    let executor = EventLoopTaskExecutor(loop)
    let (read, isBack) = try await withTaskExecutorPreference(executor) {
      let read = [try await inbound.next(), try await inbound.next()]
      return (read, loop.inEventLoop)
    }
    #expect(read == [100, 10_100])
    #expect(owner.placesUnpacked.withLock { $0 } == [true, false])
    #expect(isBack)
  }

  @Test("a compressed message is unpacked where its reader runs, whether it was there first or the message")
  func compressedMessageIsUnpackedWhereItsReaderRuns() async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let owner = Owner(loop)
    let inbound = CallInbound<Owner>(eventLoop: loop)
    try await loop.submit {
      inbound.attach(owner)
      inbound.deliver(1)
      inbound.deliver(2)
    }.get()
    var read = [try await inbound.next(), try await inbound.next()]
    async let late = inbound.next()
    loop.scheduleTask(in: .milliseconds(20)) { inbound.deliver(3) }
    read.append(try await late)
    #expect(read == [100, 2, 300])
    #expect(owner.placesUnpacked.withLock { $0 } == [false, false])
  }
}
