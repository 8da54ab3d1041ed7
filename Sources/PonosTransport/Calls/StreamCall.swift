import GRPCCore
import NIOCore

/// One call on one stream, as the task that makes or serves it sees it: parts to send, on the call's event loop.
protocol StreamCall: AnyObject, Sendable {
  associatedtype OutboundPart: Sendable

  var eventLoop: any EventLoop { get }
  var gate: SendGate { get }

  /// Writes one part; returns whether the writer has to wait before the next. Event loop only.
  func write(_ part: OutboundPart) throws(RPCError) -> Bool
  /// The writer will write no more. Event loop only.
  func finishWriting()
  /// The writer gives up on the call, because of an error. Event loop only.
  func abortWriting(_ error: any Error)
}

extension StreamCall {
  /// Runs `body` on the event loop of the call: at once if the caller is on it, otherwise as soon as the loop gets to it.
  func onEventLoop(_ body: @escaping @Sendable () -> Void) {
    if eventLoop.inEventLoop {
      body()
    } else {
      eventLoop.execute(body)
    }
  }

  /// The result of `body`, run on the event loop of the call.
  func valueOnEventLoop<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    eventLoop.inEventLoop ? try body() : try await eventLoop.submit(body).get()
  }
}

/// Writes the parts of one direction of a call, no faster than the peer takes them: what ``ServerCallWriter`` and
/// ``ClientCallWriter`` have in common.
struct CallWriter<Call: StreamCall>: Sendable {
  let call: Call

  func write(_ part: Call.OutboundPart) async throws {
    let mustWait =
      call.eventLoop.inEventLoop
      ? try call.write(part) : try await call.eventLoop.submit { try call.write(part) }.get()
    if mustWait { try await call.gate.waitForRoom() }
  }

  func finish() async {
    call.onEventLoop { call.finishWriting() }
  }

  func finish(throwing error: any Error) async {
    call.onEventLoop { call.abortWriting(error) }
  }
}
