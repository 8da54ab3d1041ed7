import GRPCCore
import NIOCore
import Synchronization

/// Is told of each message that has been read or dropped, so that it can let the peer send more.
protocol CreditKeeper: AnyObject {
  /// Called on the event loop.
  func didRead(_ weight: MessageWeight)
}

/// The parts of a call that arrive from the peer, as the sequence a handler or a caller reads.
///
/// All state belongs to the event loop of the connection. A reader on that loop gets what is there without suspending.
final class CallInbound<Part: Sendable>: AsyncSequence, @unchecked Sendable {
  typealias Element = Part
  typealias Failure = any Error

  private let eventLoop: any EventLoop
  private let readerNumbers = Atomic<UInt64>(0)

  // Event loop only.
  private var queue = PartQueue<Part>()
  private var reader: (number: UInt64, continuation: UnsafeContinuation<Part?, any Error>)?
  private var cancelledReader: UInt64?
  private var creditKeeper: (any CreditKeeper)?

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  struct Iterator: AsyncIteratorProtocol {
    let inbound: CallInbound<Part>

    mutating func next() async throws -> Part? {
      try await inbound.next()
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> Part? {
      try await inbound.next()
    }
  }

  func makeAsyncIterator() -> Iterator {
    Iterator(inbound: self)
  }

  // MARK: The connection's side, on the event loop

  /// Names who is told about credit, until the end of the call.
  func attach(_ keeper: some CreditKeeper) {
    creditKeeper = keeper
  }

  func deliver(_ part: Part, weight: MessageWeight = MessageWeight()) {
    guard let creditKeeper else { return }
    guard !queue.isEnded else {
      if weight.held > 0 { creditKeeper.didRead(weight) }
      return
    }
    queue.append(part, weight: weight)
    serveReader()
  }

  /// The peer will send no more.
  func finish() {
    queue.finish()
    serveReader()
  }

  /// The call is over; what nobody has read is dropped.
  func fail(_ error: any Error) {
    for entry in queue.fail(error) { report(entry.weight) }
    serveReader()
  }

  /// Nobody will read any more: forgets the parts and whom to tell.
  func discard() {
    for entry in queue.removeAll() { report(entry.weight) }
    creditKeeper = nil
  }

  private func serveReader() {
    guard let reader else { return }
    switch readNow() {
    case .some(let result):
      self.reader = nil
      reader.continuation.resume(with: result)
    case .none:
      return
    }
  }

  private func readNow() -> Result<Part?, any Error>? {
    switch queue.read() {
    case .part(let entry):
      report(entry.weight)
      return .success(entry.part)
    case .end: return .success(nil)
    case .failure(let error): return .failure(error)
    case .wait: return nil
    }
  }

  private func report(_ weight: MessageWeight) {
    if weight.held > 0 { creditKeeper?.didRead(weight) }
  }

  // MARK: The reader's side

  private func next() async throws -> Part? {
    if eventLoop.inEventLoop, let result = readNow() { return try result.get() }
    let number = readerNumbers.wrappingAdd(1, ordering: .relaxed).newValue
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        if eventLoop.inEventLoop {
          park(continuation, number: number)
        } else {
          eventLoop.execute { self.park(continuation, number: number) }
        }
      }
    } onCancel: {
      eventLoop.execute { self.cancelReader(number) }
    }
  }

  private func park(_ continuation: UnsafeContinuation<Part?, any Error>, number: UInt64) {
    if let result = readNow() {
      continuation.resume(with: result)
    } else if cancelledReader == number {
      continuation.resume(throwing: Self.cancelled)
    } else if reader != nil {
      continuation.resume(throwing: RPCError(code: .internalError, message: "two tasks read one call at the same time"))
    } else {
      reader = (number, continuation)
    }
  }

  private func cancelReader(_ number: UInt64) {
    if let reader, reader.number == number {
      self.reader = nil
      reader.continuation.resume(throwing: Self.cancelled)
    } else {
      cancelledReader = number
    }
  }

  private static var cancelled: RPCError {
    RPCError(code: .cancelled, message: "the task reading the call was cancelled")
  }
}
