import GRPCCore
import NIOCore
import Synchronization

/// The call that parts belong to; asked and told on its event loop.
protocol CallInboundOwner: AnyObject, Sendable {
  associatedtype Part: Sendable

  /// A message has been read or dropped, so that the peer may send more.
  func didRead(_ weight: MessageWeight)
  /// Whether `part` is a message that arrived compressed; it stays so until it is read.
  static func isPacked(_ part: Part) -> Bool
  /// Whether unpacking a part would hold up an event loop.
  func isLarge(_ part: Part) -> Bool
  /// A packed part as its reader wants it. Called in the task of the reader; a large part not on the event loop.
  func unpack(_ part: Part) throws(RPCError) -> Part
}

/// The parts of a call that arrive from the peer and wait to be read.
///
/// All state belongs to the event loop of the connection. A reader on that loop gets what is there without suspending. Readers go
/// through a sequence that names the kind of call, ``RequestPartSequence`` or ``ResponsePartSequence``: GRPCCore calls it as any sequence, and only
/// code that is not generic itself runs without looking up types.
final class CallInbound<Owner: CallInboundOwner>: @unchecked Sendable {
  typealias Part = Owner.Part

  /// A part on its way to its reader.
  private struct Delivery: Sendable {
    var part: Part
    /// Who unpacks it; nil for most, which are not packed.
    var unpacker: Owner?
  }

  private let eventLoop: any EventLoop
  private let readerNumbers = Atomic<UInt64>(0)

  // Event loop only.
  private var queue = PartQueue<Part>()
  private var reader: (number: UInt64, continuation: UnsafeContinuation<Delivery?, any Error>)?
  private var cancelledReader: UInt64?
  private var owner: Owner?

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  // MARK: The connection's side, on the event loop

  /// Names the call the parts belong to, until nobody reads it any more.
  func attach(_ owner: Owner) {
    self.owner = owner
  }

  /// Whether a reader takes the next part as it arrives.
  var isAwaited: Bool { reader != nil }

  /// Whether there are parts that nobody has read.
  var hasUnread: Bool { !queue.isEmpty }

  func deliver(_ part: Part, weight: MessageWeight = MessageWeight()) {
    guard owner != nil else { return }
    guard !queue.isEnded else {
      report(weight)
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
    owner = nil
  }

  private func serveReader() {
    guard let waiting = reader, let result = readNow() else { return }
    reader = nil
    waiting.continuation.resume(with: result)
  }

  private func readNow() -> Result<Delivery?, any Error>? {
    switch queue.read() {
    case .part(let entry):
      report(entry.weight)
      return .success(Delivery(part: entry.part, unpacker: Owner.isPacked(entry.part) ? owner : nil))
    case .end: return .success(nil)
    case .failure(let error): return .failure(error)
    case .wait: return nil
    }
  }

  private func report(_ weight: MessageWeight) {
    if weight.held > 0 { owner?.didRead(weight) }
  }

  // MARK: The reader's side

  /// The next part; nil after the last.
  func next() async throws -> Part? {
    if eventLoop.inEventLoop, let result = readNow() {
      guard let delivery = try result.get(), delivery.unpacker != nil else { return try result.get()?.part }
      return try await unpack(delivery)
    }
    let number = readerNumbers.wrappingAdd(1, ordering: .relaxed).newValue
    let delivery = try await withTaskCancellationHandler {
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
    guard let delivery, delivery.unpacker != nil else { return delivery?.part }
    return try await unpack(delivery)
  }

  private func unpack(_ delivery: Delivery) async throws -> Part {
    let (part, unpacker) = (delivery.part, delivery.unpacker)
    guard let unpacker else { return part }
    guard eventLoop.inEventLoop, unpacker.isLarge(part) else { return try unpacker.unpack(part) }
    return try await withTaskExecutorPreference(globalConcurrentExecutor) { try unpacker.unpack(part) }
  }

  private func park(_ continuation: UnsafeContinuation<Delivery?, any Error>, number: UInt64) {
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
